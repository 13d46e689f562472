import { beforeAll, describe, expect, inject, test } from "vitest";
import type { ReviewWorkView } from "../../src/actions/reviews/claim-reviews.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { importedState } from "../support/imported-state.ts";
import { countDeadlocks, watchForDeadlocks } from "../support/model/deadlocks.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { silenceLog } from "../support/model/quiet.ts";

const { seed } = inject("stack");
const TASKS = 500;
const PEOPLE = 64;
/** How often each person claims. */
const TURNS = 4;

silenceLog();

let api: TestApi;
let bearers: string[];

beforeAll(async () => {
  api = await freshApi();
  await watchForDeadlocks(api.database);
  await givenWaiting(TASKS);
  bearers = await givenReviewers(PEOPLE);
  await Promise.all(bearers.map((bearer) => api.call("GET", "/me", { bearer })));
}, 60_000);

async function givenWaiting(count: number): Promise<void> {
  const start = { kind: "expert_review", status: "queued", reason: "Moved here" };
  const tasks = Array.from({ length: count }, (_, index) => ({
    title: `Task ${index}`,
    priority: index % 7,
    start,
  }));
  expectDone(await api.call("POST", "/tasks/import", { body: { tasks } }));
}

/** Stores people with one key each, as the owner. Returns the keys. */
async function givenReviewers(count: number): Promise<string[]> {
  const { id } = api.tenant;
  const keys = Array.from(
    { length: count },
    () => `slg_${id.replaceAll("-", "")}_reviewer-${crypto.randomUUID()}`,
  );
  const stored = {
    text: `with given as (select new_id() as id, key, place from unnest($2::text[]) with ordinality as k(key, place)),
     person as (insert into people (tenant_id, id, name) select $1, id, 'Person ' || place from given)
     insert into api_keys (tenant_id, id, name, role, kind, person_id, digest, last_four, created_by)
     select $1, new_id(), 'Key', 'reviewer', 'person', id, sha256(convert_to(key, 'UTF8')), right(key, 4), 'setup'
     from given`,
    values: [id, keys],
  };
  await api.database.transaction("owner", [stored, ...importedState(id)]);
  return keys;
}

/** What a person did with a claimed step, in the order in which the service answered. */
interface Turn {
  person: number;
  stepId: string;
  round: number;
  end: "kept" | "released" | "declined" | "reviewed" | "late";
}

describe("64 people who claim from 500 tasks", () => {
  test(`never get a task that someone holds, with declines, ended leases and late reviews (SEED=${seed})`, async () => {
    const chance = chanceFrom(seed);
    /** Who holds each step, as far as the answers say. */
    const holders = new Map<string, number>();
    const declined = new Set<string>();
    const turns: Turn[] = [];
    const claim = async (person: number) => {
      const body = { max: 1 + chance.below(4), leaseSeconds: 14_400 };
      const bearer = bearers[person] ?? "";
      const answer = await api.call<{ data: ReviewWorkView[] }>("POST", "/reviews/claim", {
        bearer,
        body,
      });
      return expectDone(answer).data;
    };
    const act = (person: number, path: string, body?: object) =>
      api.call("POST", path, { bearer: bearers[person] ?? "", ...(body && { body }) });

    const takeTurn = async (person: number) => {
      for (const { claim: held, task } of await claim(person)) {
        const { id, stepId, round } = held;
        expect(holders.get(stepId), "the holder of a step that was handed out").toBeUndefined();
        expect(declined.has(`${person}/${stepId}/${round}`)).toBe(false);
        holders.set(stepId, person);
        const end = (["kept", "released", "declined", "reviewed", "late"] as const)[
          chance.below(5)
        ];
        turns.push({ person, stepId, round, end: end ?? "kept" });
        const review = () =>
          act(person, `/tasks/${task.id}/reviews`, {
            stepId,
            kind: "expert",
            outcome: chance.isHit(0.5) ? "passed" : "failed",
          });
        // What ends a claim is noted before it is sent: others can have the step before the answer arrives.
        if (end !== "kept") holders.delete(stepId);
        if (end === "released") expectDone(await act(person, `/reviews/claims/${id}/release`));
        if (end === "declined") {
          declined.add(`${person}/${stepId}/${round}`);
          const body = { reason: "Not mine" };
          expectDone(await act(person, `/reviews/claims/${id}/decline`, body));
        }
        if (end === "reviewed") expectDone(await review(), 201);
        if (end === "late") {
          await api.database.query(
            "owner",
            "update review_slots set lease_until = now() - interval '1 second' where id = $1",
            [id],
          );
          const late = await review();
          expect([201, 409]).toContain(late.status);
          if (late.status === 409) expect(late.body).toMatchObject({ error: "claim_taken" });
        }
      }
    };
    for (let turn = 0; turn < TURNS; turn += 1) {
      await Promise.all(bearers.map((_, person) => takeTurn(person)));
    }

    expect(new Set(turns.map(({ end }) => end)).size).toBe(5);
    expect(turns.length).toBeGreaterThan(PEOPLE);
    expect(await countDeadlocks(api.database)).toBe(0);
    await expectInvariantsHold(api.database);
    const [row] = await api.database.query(
      "owner",
      "select count(*) as held from review_slots where slot is not null and lease_until > now()",
    );
    expect(Number(row?.["held"])).toBe(holders.size);
  });

  test("take one round trip for each claim", async () => {
    const bearer = bearers[0] ?? "";
    await api.database.resetRoundTrips();
    await api.call("POST", "/reviews/claim", { bearer, body: { max: 20 } });
    expect(await api.database.tenantRoundTrips()).toBe(1);
  });
});

describe("the claim among many waiting tasks", () => {
  test("reads them from the index of waiting tasks, in the order in which they are taken", async () => {
    const waiting = (condition: string) => `explain (costs off)
      select l.task_id from task_labels l join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
      where l.tenant_id = '${api.tenant.id}' and l.waits_for_review and l.event_seq = t.event_seq ${condition}
      order by l.priority desc, l.since, l.task_id limit 20 for no key update of t skip locked`;
    const planOf = async (condition: string) => {
      const [, rows] = await api.database.transaction("owner", [
        { text: "analyze task_labels, tasks" },
        { text: waiting(condition) },
      ]);
      return (rows ?? []).map((row) => row["QUERY PLAN"]).join("\n");
    };
    const all = await planOf("");
    expect(all).toContain("Index Scan using task_labels_waiting on task_labels");
    expect(all).not.toContain("Sort");
    const ofCode = await planOf("and l.taxonomy_code = 'maths'");
    expect(ofCode).toContain("task_labels_waiting_by_code");
    expect(ofCode).not.toContain("Sort");
  });
});
