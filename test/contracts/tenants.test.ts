import { beforeAll, describe, expect, it, test } from "vitest";
import type { Answer } from "../support/api.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { type Sample, titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { namesIn, sendSample, statusWithoutOf } from "../support/samples/send-sample.ts";
import { givenThings, spellingsOf, unknownThings } from "../support/samples/things.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  await api.demoTenant();
});

/** A parameter or field of a sample that names a thing. */
interface Naming {
  sample: Sample;
  place: string;
}

const namings = SAMPLES.flatMap((sample) =>
  Object.keys(sample.names).map((place): Naming => ({ sample, place })),
);
const continuesWithout = ({ sample, place }: Naming) => {
  return sample.goesOnWithout?.includes(place) === true;
};
const requiredNamings = namings.filter((naming) => !continuesWithout(naming));
const optionalNamings = namings.filter(continuesWithout);
const inTable = (naming: Naming) => [titleOf(naming.sample), naming.place, naming] as const;

/**
 * Sends another tenant's name in each spelling, and an unknown name in the same spelling. Also returns what the
 * database, or one tenant in it, contained before and after.
 */
async function compareNames({ sample, place }: Naming, observedTenantId?: string) {
  const { otherTenant, database } = api;
  const kind = sample.names[place] ?? "task";
  const theirs = spellingsOf(kind, await givenThings(api, sample, otherTenant));
  const unknowns = spellingsOf(kind, unknownThings());
  const ready = [];
  for (const name of [...theirs, ...unknowns]) {
    // Every other name in the request is a new thing of the caller's own.
    const mine = await givenThings(api, sample);
    ready.push({ name, named: { ...namesIn(sample, mine), [place]: name } });
  }
  const before = await contentsOf(database, observedTenantId);
  const answers: { name: string; answer: Answer<unknown> }[] = [];
  for (const { name, named } of ready) {
    const headers = { "x-request-id": "the-same" };
    answers.push({ name, answer: await sendSample(api, sample, named, { headers }) });
  }
  const after = await contentsOf(database, observedTenantId);
  const compared = answers.slice(0, theirs.length).map((foreign, index) => {
    const unknown = answers[theirs.length + index];
    return unknown === undefined ? expect.fail("A spelling is missing") : { foreign, unknown };
  });
  return { compared, before, after };
}

/** Returns the response without Server-Timing. */
function withoutTiming({ status, headers, text }: Answer<unknown>) {
  return { status, headers: [...headers].filter(([name]) => name !== "server-timing"), text };
}

/** Returns the response without the caller's name for the thing and without generated values. */
function withoutNames({ name, answer }: { name: string; answer: Answer<unknown> }) {
  const generated =
    /whsec_[\w+/=]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|[\w.-]{40,}/g;
  return JSON.stringify(withoutTiming(answer)).replaceAll(name, "…").replaceAll(generated, "…");
}

describe("another tenant's things", () => {
  test.each(requiredNamings.map(inTable))(
    "%s gets the same response for their %s as for an unknown one, and writes nothing",
    async (_, _place, naming) => {
      const { compared, before, after } = await compareNames(naming);
      for (const { foreign, unknown } of compared) {
        expect(foreign.answer.body).toMatchObject({ error: "not_found", status: 404 });
        expect(withoutTiming(foreign.answer)).toEqual(withoutTiming(unknown.answer));
      }
      expect(after).toEqual(before);
    },
  );

  test.each(optionalNamings.map(inTable))(
    "%s continues as if their %s were unknown, and changes none of their rows",
    async (_, _place, naming) => {
      const { compared, before, after } = await compareNames(naming, api.otherTenant.id);
      for (const { foreign, unknown } of compared) {
        const { status, text } = foreign.answer;
        expect(status, text).toBe(statusWithoutOf(naming.sample));
        expect(withoutNames(foreign)).toBe(withoutNames(unknown));
      }
      expect(after).toEqual(before);
    },
  );

  it("do not appear in any list", async () => {
    const lists = SAMPLES.filter(({ route, names }) => {
      return route.startsWith("GET") && Object.keys(names).length === 0;
    });
    const theirIds = (
      await api.database.query("superuser", "select id from tasks where tenant_id = $1", [
        api.otherTenant.id,
      ])
    ).map(({ id }) => id ?? "");
    expect(theirIds.length).toBeGreaterThan(0);
    for (const sample of lists) {
      const { text, status } = await sendSample(api, sample, {});
      expect(status, text).toBe(200);
      const leaked = [api.otherTenant.id, ...theirIds].filter((id) => text.includes(id));
      expect(leaked, sample.route).toEqual([]);
    }
  });
});
