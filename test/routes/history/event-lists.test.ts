import { beforeAll, describe, expect, it } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { givenOpenEval } from "../evals/support.ts";
import { givenKeyOf, givenPerson, tokenFor } from "../people/support.ts";

interface ListedEvent {
  stream?: string;
  seq: number;
  type: string;
  actor: { id: string };
  hash: string;
}
interface Page {
  data: ListedEvent[];
  nextCursor: string | null;
}

/** The filters of a request, and the events of the whole list that match them. */
interface Query {
  query: string;
  matches: (event: ListedEvent) => boolean;
}

const SUBJECT = "ada@id.example";

let api: TestApi;
let task: TaskView;
/** Ada acts with an API key and with tokens. */
let ada: { id: string; keyId: string };
/** Each list with its sort, and the order without one. */
let lists: { path: string; sort: string; isNewestFirst: boolean }[];

beforeAll(async () => {
  api = await freshApi();
  const person = await givenPerson(api, { subject: SUBJECT });
  const key = await givenKeyOf(api, person, "admin");
  ada = { id: person.id, keyId: key.id };
  const token = await tokenFor(api, { sub: SUBJECT, role: "admin" });
  const bearers = [key.key, token, api.tenant.keys.operator];

  task = await api.givenTask();
  const { id } = await givenOpenEval(api, { task, status: "running" });
  for (const [index, bearer] of bearers.entries()) {
    const note = { bearer, body: { text: `Note ${index}` } };
    expectDone(await api.call("POST", `/tasks/${task.id}/notes`, note), 201);
    const trial = { bearer, body: { k: index + 1, model: "solver-7b", passed: true } };
    expectDone(await api.call("POST", `/evals/${id}/trials`, trial), 201);
    const edit = { bearer, body: { priority: 10 + index } };
    expectDone(await api.call("PATCH", `/tasks/${task.id}`, edit));
  }
  for (const bearer of [key.key, token]) await givenPerson(api, { name: "Bo" }, bearer);

  const oldestFirst = { sort: "seq", isNewestFirst: false };
  lists = [
    { path: `/tasks/${task.id}/events`, ...oldestFirst },
    { path: `/steps/${task.currentStep.id}/events`, ...oldestFirst },
    { path: `/evals/${id}/events`, ...oldestFirst },
    { path: `/tasks/${task.id}/timeline`, sort: "at", isNewestFirst: false },
    { path: "/admin/events", sort: "seq", isNewestFirst: true },
  ];
  // Events of the same actors in other histories, which no list may show.
  const other = await api.givenTask();
  await givenOpenEval(api, { task: other });
});

/** All pages of a list, with the smallest pages that still have several events. */
async function walk(path: string, query: string): Promise<ListedEvent[]> {
  const events: ListedEvent[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const next: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const answer = await api.call<Page>("GET", `${path}?limit=2${query}${next}`);
    const page = expectDone(answer);
    expect(page.data.length).toBeLessThanOrEqual(2);
    events.push(...page.data);
    cursor = page.nextCursor;
  }
  return events;
}

const namesOf = (events: readonly ListedEvent[]) =>
  events.map(({ stream = "admin", seq, type }) => `${stream} ${seq} ${type}`);

describe("A list of events", () => {
  it("has the matching events of the whole history in either order, whatever the page", async () => {
    for (const { path, sort, isNewestFirst } of lists) {
      const listed = await walk(path, "");
      const oldestFirst = isNewestFirst ? listed.toReversed() : listed;
      expect(listed.length).toBeGreaterThan(3);
      const types = [...new Set(listed.map(({ type }) => type))];
      const actors = [...new Set(listed.map(({ actor }) => actor.id)), "nobody", task.id];
      const ofAda = ({ actor }: ListedEvent) => [SUBJECT, ada.keyId].includes(actor.id);
      const [one = "", ...others] = types;
      const last = others.at(-1) ?? one;
      const ofType =
        (...wanted: string[]) =>
        ({ type }: ListedEvent) =>
          wanted.includes(type);
      const byActor =
        (id: string) =>
        ({ actor }: ListedEvent) =>
          actor.id === id;
      const queries: Query[] = [
        { query: "", matches: () => true },
        ...types.map((type) => ({ query: `&type=${type}`, matches: ofType(type) })),
        { query: `&type=${one}&type=${last}`, matches: ofType(one, last) },
        { query: `&type=${one},${last}`, matches: ofType(one, last) },
        ...actors.map((id) => ({
          query: `&actor=${encodeURIComponent(id)}`,
          matches: byActor(id),
        })),
        { query: `&actor=${ada.id}`, matches: ofAda },
        { query: `&actor=${ada.id.toUpperCase()}`, matches: ofAda },
        {
          query: `&actor=${ada.id}&type=${last}`,
          matches: (event) => ofAda(event) && event.type === last,
        },
      ];
      expect(listed.filter(ofAda).length).toBeGreaterThan(1);
      for (const { query, matches } of queries) {
        const expected = oldestFirst.filter(matches);
        const about = `${path} ${query}`;
        expect(namesOf(await walk(path, `${query}&sort=${sort}`)), about).toEqual(
          namesOf(expected),
        );
        const reversed = await walk(path, `${query}&sort=-${sort}`);
        expect(reversed, about).toEqual(expected.toReversed());
      }
    }
  });

  it("refuses the cursor of another order, type or actor", async () => {
    for (const { path, sort, isNewestFirst } of lists) {
      const { data } = expectDone(await api.call<Page>("GET", path));
      const [first] = data;
      const queries = [
        "",
        `&sort=${isNewestFirst ? "" : "-"}${sort}`,
        `&type=${first?.type}`,
        `&actor=${ada.id}`,
        `&actor=${encodeURIComponent(first?.actor.id ?? "")}`,
      ];
      for (const from of queries) {
        const page = expectDone(await api.call<Page>("GET", `${path}?limit=1${from}`));
        for (const to of queries.filter((query) => query !== from)) {
          if (page.nextCursor === null) continue;
          const moved = await api.call("GET", `${path}?limit=1${to}&cursor=${page.nextCursor}`);
          expectProblem(moved, "invalid_cursor", 400);
        }
      }
    }
  });

  it("refuses an order and a type that it does not have", async () => {
    for (const { path, sort } of lists) {
      const foreign = path.startsWith("/evals") ? "note_added" : "key_rotation";
      for (const query of [
        `sort=${sort}&sort=-${sort}`,
        `sort=+${sort}`,
        `sort=${sort === "seq" ? "at" : "seq"}`,
        `type=${foreign}`,
        "type=",
        "actor=%00",
      ]) {
        expectProblem(await api.call("GET", `${path}?${query}`), "validation_failed", 400);
      }
    }
  });

  it("takes one round trip with every filter, in either order", async () => {
    for (const { path, sort } of lists) {
      const { data } = expectDone(await api.call<Page>("GET", path));
      for (const direction of ["", "-"]) {
        const query = `sort=${direction}${sort}&type=${data[0]?.type}&actor=${ada.id}`;
        expect(await api.roundTripsOf(() => api.call("GET", `${path}?${query}`))).toBe(1);
      }
    }
  });

  it("does not know the people of another tenant", async () => {
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    const path = `/tasks/${theirs.id}/events?actor=${ada.id}`;
    const { data } = expectDone(await api.call<Page>("GET", path, { tenant: api.otherTenant }));
    expect(data).toEqual([]);
  });
});
