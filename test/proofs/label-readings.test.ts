import { beforeAll, describe, expect, inject, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { labelFactsOfStepsSql } from "../../src/db/tasks/label-sql.ts";
import { GATE_ON_STATUS } from "../../src/domain/lifecycle/gates.ts";
import {
  REVIEW_OUTCOMES,
  type ReviewOutcome,
  RUN_STATES,
  type RunState,
  WORKER_TYPES,
  type WorkerType,
} from "../../src/domain/lifecycle/statuses.ts";
import { type LabelFacts, resolve } from "../../src/domain/status/resolve.ts";
import { UNIFIED_STATUSES, type UnifiedStatus } from "../../src/domain/status/unified.ts";
import { expectDone, freshApi, type Place, type TestApi } from "../support/api.ts";
import { type Chance, chanceFrom } from "../support/chance.ts";
import type { SqlValue } from "../support/database.ts";
import { givenMany } from "../support/given-many.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { PLACES } from "../support/places.ts";
import { givenClock } from "../support/simulated-clock.ts";

const { seed } = inject("stack");
const TASKS = 600;
const PAGE = 200;

/** The time of all rows in these tests, so that nothing can be ordered by time. */
const ONE_MOMENT = "2026-01-01T00:00:00Z";

/** Labels the first ten tasks again. */
const RELABEL = `select relabel_tasks(zero, zero, 10)
  from (select '00000000-0000-0000-0000-000000000000'::uuid as zero)`;

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
});

describe("every way to read a label", () => {
  test(
    `agrees with all others on tasks whose reviews and runs were stored in any order (replay with SEED=${seed})`,
    { timeout: 120_000 },
    async () => {
      const expected = await givenJudgedInAnyOrder(chanceFrom(seed));
      const readings = {
        "the facts of each task": await labelsBy("task_facts"),
        "the facts of many steps": await labelsBy(
          `(${labelFactsOfStepsSql("array(select current_step_id from tasks)")})`,
        ),
        "the materialized label": await materialised(),
        "the list, sorted live": await listed("sort=unifiedStatus&sortSource=live"),
        "the list, sorted by materialized labels": await listed(
          "sort=unifiedStatus&sortSource=materialized",
        ),
        "the list, filtered by label": await filtered(),
        "the export": await exported(),
        "the preview": await previewed([...expected.keys()]),
      };
      for (const [name, labels] of Object.entries(readings)) {
        expect(differing(labels, expected), name).toEqual([]);
      }
      expect(new Set(expected.values())).toEqual(new Set(UNIFIED_STATUSES));
    },
  );

  test("shows a task that moves while it is relabeled as it is then", async () => {
    const own = await freshApi();
    const tenant = await own.givenTenant("demo");
    // A clock that does not move, so that the events of a task all have the same time.
    await givenClock(own.database, tenant.id, { at: ONE_MOMENT });
    const at = { kind: "pre_qa", status: "awaiting_review" } as const;
    const tasks = [await own.givenTask({ tenant, at }), await own.givenTask({ tenant, at })];
    const [first, second] = tasks.map(({ id }) => id).toSorted();
    const holding = await openTransaction(own.database, [
      { text: "select from task_labels where task_id = $1 for update", values: [first ?? ""] },
    ]);
    const relabeling = own.database.query("owner", RELABEL);
    // It has read both tasks, and waits for the label of the first.
    await untilBlocked(own.database);
    const body = { kind: "expert", outcome: "failed" };
    expectDone(await own.call("POST", `/tasks/${second}/reviews`, { tenant, body }), 201);
    await holding.end();
    await relabeling;
    const labels = await own.database.query(
      "owner",
      "select unified_status, iso(updated_at) as at from task_labels order by task_id",
    );
    expect(labels.map(({ unified_status: label }) => label)).toEqual([
      "CHECKING_QUALITY",
      "QUALITY_CHECK_FAILED",
    ]);
    expect(new Set(labels.map((label) => label["at"])).size).toBe(1);
  });

  test("shows a label from before events were counted in it as relabeled", async () => {
    const own = await freshApi();
    await own.givenTask();
    const read = () => own.database.query("owner", "select * from task_labels");
    const before = await read();
    const forget = "update task_labels set event_seq = null, unified_status = 'DELIVERED'";
    await own.database.query("superuser", forget);
    await own.database.query("owner", RELABEL);
    expect(await read()).toEqual(before);
  });

  test("counts a failed review until a later one passes, whatever their timestamps", async () => {
    const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    const labels: UnifiedStatus[] = [];
    for (const outcome of ["passed", "failed", "passed", "failed", "failed", "passed"]) {
      const body = { kind: "expert", outcome };
      expectDone(await api.call("POST", `/tasks/${id}/reviews`, { body }), 201);
      await forge("update reviews set created_at = $1", [ONE_MOMENT]);
      const task = expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
      labels.push(task.unifiedStatus);
      const expected = new Map([[id, task.unifiedStatus]]);
      for (const labelsOf of [await materialised(), await labelsBy("task_facts")]) {
        expect(new Map([[id, labelsOf.get(id)]])).toEqual(expected);
      }
      expect(await previewed([id])).toEqual(expected);
    }
    const [stands, passed] = ["QUALITY_CHECK_FAILED", "CHECKING_QUALITY"];
    expect(labels).toEqual([passed, stands, passed, stands, stands, passed]);
  });
});

/** Stores tasks with reviews and runs in random order at one moment. Returns the labels that the domain computes. */
async function givenJudgedInAnyOrder(chance: Chance): Promise<Map<string, UnifiedStatus>> {
  const tasks = Array.from({ length: TASKS }, (_, index) => anyTask(chance, index));
  const ids = await givenMany(
    api,
    tasks.map(({ place }) => place),
  );
  const reviews = tasks.flatMap(({ outcomes }, index) =>
    outcomes.map((outcome, at) => ({ task_id: ids[index], sequence: at + 1, outcome })),
  );
  const runs = tasks.flatMap(({ begun }, index) =>
    begun.map((run) => ({ task_id: ids[index], ...run })),
  );
  await forge(
    `insert into reviews (tenant_id, id, task_id, version_id, step_id, kind, outcome, sequence, reviewer_id,
       reviewer_name, created_at)
     select t.tenant_id, gen_random_uuid(), t.id, t.active_version_id, t.current_step_id, 'expert', r.outcome,
       r.sequence, 'somebody', 'Somebody', $2
     from json_to_recordset($1) as r(task_id uuid, sequence integer, outcome text) join tasks t on t.id = r.task_id`,
    [JSON.stringify(shuffled(chance, reviews)), ONE_MOMENT],
  );
  await forge(
    `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, deadline_at, created_by,
       created_at)
     select t.tenant_id, gen_random_uuid(), t.id, t.active_version_id, t.current_step_id, w.type, w.state, $2,
       'somebody', $2
     from json_to_recordset($1) as w(task_id uuid, type text, state text) join tasks t on t.id = w.task_id`,
    [JSON.stringify(shuffled(chance, runs)), ONE_MOMENT],
  );
  // The stored labels are now wrong for most tasks. A move of each makes the triggers correct them.
  const body = { taskIds: ids, action: "edit", changes: { priority: 7 }, reason: "To be labelled" };
  const edited = await api.call<{ counts: { changed: number } }>("POST", "/bulk/execute", {
    body,
    idempotencyKey: "labelled-anew",
  });
  expect(expectDone(edited).counts.changed).toBe(TASKS);
  return new Map(tasks.map((task, index) => [ids[index] ?? "", resolve(factsOf(task))]));
}

interface JudgedTask {
  place: Required<Place>;
  /** The outcomes of its reviews, in order. */
  outcomes: ReviewOutcome[];
  begun: { type: WorkerType; state: RunState }[];
}

/** Cycles through the places, so that there is a task at each. */
function anyTask(chance: Chance, index: number): JudgedTask {
  const { kind, status } = PLACES[index % PLACES.length] ?? expect.fail("PLACES is empty");
  const several = <Value>(most: number, values: readonly Value[]) =>
    Array.from({ length: chance.below(most + 1) }, () => oneOf(chance, values));
  return {
    place: { kind, status, gate: chance.isHit(0.2) ? "waived" : GATE_ON_STATUS[status] },
    outcomes: several(3, REVIEW_OUTCOMES),
    begun: several(2, WORKER_TYPES).map((type) => ({ type, state: oneOf(chance, RUN_STATES) })),
  };
}

function factsOf({ place, outcomes, begun }: JudgedTask): LabelFacts {
  const running = begun.filter(({ state }) => state === "RUNNING").map(({ type }) => type);
  const reviewFailed = outcomes.at(-1) === "failed";
  return { ...place, heldGate: null, reviewFailed, runningWorkers: running, idle: false };
}

function oneOf<Value>(chance: Chance, values: readonly Value[]): Value {
  return values[chance.below(values.length)] ?? expect.fail("There is nothing to choose from");
}

function shuffled<Row>(chance: Chance, rows: readonly Row[]): Row[] {
  const placed = rows.map((row) => ({ row, at: chance.next() }));
  return placed.toSorted((one, other) => one.at - other.at).map(({ row }) => row);
}

type Labels = ReadonlyMap<string, string>;

function differing(labels: Labels, expected: Labels): string[] {
  const ids = new Set([...labels.keys(), ...expected.keys()]);
  return [...ids].flatMap((id) => {
    const [actual, right] = [labels.get(id), expected.get(id)];
    return actual === right ? [] : [`${id}: ${actual}, not ${right}`];
  });
}

/** Applies the compiled rules to one source of facts. */
async function labelsBy(facts: string): Promise<Labels> {
  const rows = await api.database.query(
    "owner",
    `select task_id, label_of(kind, status, coalesce(held_gate, gate), review_failed, running_workers) as label from ${facts} f`,
  );
  return new Map(rows.map(({ task_id, label }) => [String(task_id), String(label)]));
}

async function materialised(): Promise<Labels> {
  const rows = await api.database.query("owner", "select task_id, unified_status from task_labels");
  return new Map(rows.map((row) => [String(row["task_id"]), String(row["unified_status"])]));
}

/** Reads all pages of a list. */
async function listed(query: string): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page: { data: TaskView[]; nextCursor: string | null } = expectDone(
      await api.call("GET", `/tasks?${query}&limit=${PAGE}${more}`),
    );
    for (const { id, unifiedStatus } of page.data) labels.set(id, unifiedStatus);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return labels;
}

/** Filters by each label in turn, and returns the label under which each task was listed. */
async function filtered(): Promise<Labels> {
  const labels = new Map<string, string>();
  for (const label of UNIFIED_STATUSES) {
    for (const id of (await listed(`unifiedStatus=${label}`)).keys()) labels.set(id, label);
  }
  return labels;
}

async function exported(): Promise<Labels> {
  const answer = await api.call("GET", "/tasks/export.csv");
  const [head = [], ...rows] = answer.text.split("\r\n").map((line) => line.split(","));
  const [id, label] = [head.indexOf("id"), head.indexOf("unifiedStatus")];
  return new Map(
    rows.filter((row) => row.length > 1).map((row) => [row[id] ?? "", row[label] ?? ""]),
  );
}

async function previewed(taskIds: readonly string[]): Promise<Labels> {
  const body = { taskIds, targetStatus: "REJECTED" };
  const preview = await api.call<{ items: { taskId: string; from: string }[] }>(
    "POST",
    "/bulk/preview",
    { body },
  );
  return new Map(expectDone(preview).items.map(({ taskId, from }) => [taskId, from]));
}

/** Runs statements as the superuser, with all guards disabled. */
async function forge(text: string, values: readonly SqlValue[] = []): Promise<void> {
  await api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    { text, values },
  ]);
}
