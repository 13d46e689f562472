import { beforeAll, describe, expect, inject, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { LIVE_SORT_MAX } from "../../src/db/tasks/list-tasks.ts";
import { type LabelFacts, resolve } from "../../src/domain/status/resolve.ts";
import { rankOf, UNIFIED_STATUSES, type UnifiedStatus } from "../../src/domain/status/unified.ts";
import { type Answer, expectDone, freshApi, type Place, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { givenMany } from "../support/given-many.ts";
import { PLACES } from "../support/places.ts";

const { seed, tasks: many } = inject("stack");

/**
 * Sizes around the cap and far beyond it. TASKS sets the largest: `TASKS=100000 npx vitest run
 * test/proofs/capped-sort.test.ts`.
 */
const SIZES = [0, 1, LIVE_SORT_MAX - 1, LIVE_SORT_MAX, LIVE_SORT_MAX + 1, Math.max(many, 8_000)];
const PAGE = 200;
/** Tasks that are created while the pages are read. */
const LATECOMERS = 3;

const chance = chanceFrom(seed);
interface TaskPage {
  data: TaskView[];
  nextCursor: string | null;
  sortTruncated?: true;
}

let api: TestApi;
let made = 0;

beforeAll(async () => {
  api = await freshApi();
});

describe("the capped live sort", () => {
  for (const size of SIZES) {
    test(
      `of ${size} matching tasks equals an oracle's, page by page (replay with SEED=${seed})`,
      { timeout: 60_000 + size * 5 },
      async () => {
        await grow(size);
        for (const isDescending of [false, true]) {
          const sort = isDescending ? "-unifiedStatus" : "unifiedStatus";
          const expected = await oracle(isDescending);
          const { tasks, truncated } = await turnPages(sort);
          expect(tasks).toEqual(expected);
          expect(truncated).toBe(size > LIVE_SORT_MAX);
          await putAwayLatecomers();
        }
      },
    );
  }

  test("covers every label", async () => {
    const labels = new Set((await oracle(false)).map(({ label }) => label));
    expect(labels).toEqual(new Set(UNIFIED_STATUSES));
  });
});

/** Adds tasks up to this size. The labels of the newest two depend on more than their step. */
async function grow(size: number): Promise<void> {
  const missing = size - made;
  const withHistory = missing > 100 ? [givenJudged, givenChecked] : [];
  const places = Array.from({ length: missing - withHistory.length }, () => anyPlace());
  await givenMany(api, places);
  for (const give of withHistory) await give();
  made = size;
}

/** Creates a task whose label depends on a review. */
async function givenJudged(): Promise<void> {
  const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
  const body = { kind: "expert", outcome: "failed" };
  expectDone(await api.call("POST", `/tasks/${id}/reviews`, { body }), 201);
}

/** Creates a task whose label depends on a running worker. */
async function givenChecked(): Promise<void> {
  const { id } = await api.givenTask({ at: { kind: "authoring", status: "running" } });
  const begun = await api.call<{ id: string }>("POST", `/tasks/${id}/worker-runs`, {
    as: "service",
    body: { type: "QUALITY_AUTOMATION" },
  });
  const path = `/worker-runs/${expectDone(begun, 201).id}`;
  expectDone(await api.call("PATCH", path, { as: "service", body: { state: "RUNNING" } }));
}

function anyPlace(): Place {
  const place = PLACES[chance.below(PLACES.length)];
  if (place === undefined) throw new Error("PLACES is empty");
  return place;
}

interface Sorted {
  id: string;
  label: UnifiedStatus;
}

/** The newest tasks up to the cap, sorted by the labels that the domain computes from the tables. */
async function oracle(isDescending: boolean): Promise<Sorted[]> {
  const rows = await api.database.query(
    "owner",
    `select t.id, json_build_object('kind', s.kind, 'status', s.status, 'gate', s.gate,
       'outcomes', (select coalesce(json_agg(r.outcome order by r.sequence), '[]') from reviews r where r.step_id = s.id),
       'runningWorkers', (select coalesce(json_agg(w.type), '[]') from worker_runs w
         where w.step_id = s.id and w.state = 'RUNNING')) as facts
     from tasks t join steps s on s.id = t.current_step_id
     where t.archived_at is null and t.tenant_id = $1`,
    [api.tenant.id],
  );
  const newest = rows
    .map(({ id, facts }) => ({ id: String(id), label: labelOf(String(facts)) }))
    .toSorted((one, other) => (one.id > other.id ? -1 : 1))
    .slice(0, LIVE_SORT_MAX);
  const sorted = newest.toSorted(
    (one, other) => rankOf(one.label) - rankOf(other.label) || (one.id < other.id ? -1 : 1),
  );
  return isDescending ? sorted.toReversed() : sorted;
}

function labelOf(text: string): UnifiedStatus {
  const { outcomes, ...facts } = JSON.parse(text) as Omit<LabelFacts, "reviewFailed"> & {
    outcomes: ("passed" | "failed")[];
  };
  return resolve({
    ...facts,
    reviewFailed: outcomes.lastIndexOf("failed") > outcomes.lastIndexOf("passed"),
  });
}

/** Reads all pages while tasks are created. Every page must report the cap in the same way, in header and body. */
async function turnPages(sort: string) {
  const tasks: Sorted[] = [];
  const said = new Set<boolean>();
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const path = `/tasks?sort=${sort}&limit=${PAGE}${more}`;
    const answer: Answer<TaskPage> = await api.call<TaskPage>("GET", path, { as: "viewer" });
    const page = expectDone(answer);
    const hasDeliveries = answer.headers.get("x-unified-sort-truncated");
    expect(hasDeliveries).toBe(page.sortTruncated === true ? "true" : null);
    said.add(hasDeliveries === "true");
    tasks.push(...page.data.map(({ id, unifiedStatus }) => ({ id, label: unifiedStatus })));
    if (cursor === null) await api.givenTasks(LATECOMERS);
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(said.size).toBe(1);
  return { tasks, truncated: said.has(true) };
}

async function putAwayLatecomers(): Promise<void> {
  const rows = await api.database.query(
    "owner",
    `select id from tasks where tenant_id = $1 and archived_at is null order by id desc limit ${LATECOMERS}`,
    [api.tenant.id],
  );
  for (const { id } of rows) {
    expectDone(await api.call("POST", `/tasks/${id}/archive`, { body: { reason: "Came late." } }));
  }
}
