import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Moved } from "../../src/actions/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { ChainFault } from "../../src/db/history-chain.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { givenBreaker, invariantsBrokenBy, REHASH } from "../support/model/invariants.ts";
import { silenceLog } from "../support/model/quiet.ts";

interface Tampering {
  /** The new value, in SQL. */
  set: (api: TestApi) => string;
  /** As what verification finds it. */
  found: ChainFault;
}

const changed = (set: string): Tampering => ({ set: () => set, found: "changed" });
const flipped = (column: string) => `set_byte(${column}, 31, get_byte(${column}, 31) # 1)`;
/** Another of the words that the column may hold. */
const other = (column: string, one: string, another: string): Tampering =>
  changed(`case when ${column} is distinct from '${one}' then '${one}' else '${another}' end`);

/** One flipped bit, byte or word of each column that tells what happened. */
const COLUMNS: Record<string, Tampering> = {
  tenant_id: { set: ({ otherTenant }) => `'${otherTenant.id}'`, found: "missing" },
  task_id: { set: () => "gen_random_uuid()", found: "missing" },
  seq: { set: () => "99", found: "missing" },
  version_id: changed("gen_random_uuid()"),
  step_id: changed("gen_random_uuid()"),
  type: other("type", "note_added", "gate_changed"),
  from_status: other("from_status", "queued", "running"),
  to_status: other("to_status", "queued", "running"),
  from_gate: other("from_gate", "locked", "passed"),
  to_gate: other("to_gate", "locked", "passed"),
  duplicate_of: changed("task_id"),
  run_attached_workflows: changed("not run_attached_workflows"),
  bulk_operation_id: changed("gen_random_uuid()"),
  actor_id: changed("actor_id || ' '"),
  actor_name: changed("upper(actor_name)"),
  actor_kind: other("actor_kind", "person", "system"),
  actor_role: other("actor_role", "viewer", "reviewer"),
  reason: changed("coalesce(reason, '') || '.'"),
  payload: changed("overlay(payload placing ' ' from length(payload) for 1)"),
  operation_id: changed("gen_random_uuid()"),
  request_id: changed("reverse(request_id)"),
  registry_version: changed("registry_version + 1"),
  at: changed("at + interval '1 microsecond'"),
  prev_hash: { set: () => flipped("prev_hash"), found: "broken_link" },
  hash: { set: () => flipped("hash"), found: "changed" },
};
/** Where an event stands in the feed is no part of what happened. */
const OUTSIDE_HISTORY = ["txid", "feed_id"];

const EVENTS = 5;
/** The first event, one in the middle, and the last. */
const SEQS = [1, 3, EVENTS];

silenceLog();

let api: TestApi;
let task: TaskView;

beforeAll(async () => {
  api = await freshApi();
  await givenBreaker(api.database);
  const { id, currentStep } = await api.givenTask();
  const step = `/steps/${currentStep.id}`;
  const moved = async (method: string, path: string, body: object) => {
    const { status, body: answer, text } = await api.call<Moved>(method, path, { body });
    expect(status, text).toBeLessThan(300);
    task = answer.task;
  };
  await moved("PATCH", step, { status: "running", reason: "It begins" });
  await moved("POST", `/tasks/${id}/notes`, { text: "A remark" });
  await moved("PATCH", `${step}/gate`, { gate: "blocked", reason: "Wait" });
  await moved("PATCH", `/tasks/${id}`, { title: "Another title" });
  expect(task.eventSeq).toBe(EVENTS);
  await api.database.query("superuser", "create schema kept");
  await api.database.query("superuser", "create table kept.events as select * from step_events");
  await api.database.query("superuser", "create table kept.tasks as select * from tasks");
});

afterEach(() =>
  tamper(
    `delete from step_events`,
    `insert into step_events select * from kept.events`,
    `
    update tasks t set event_head = k.event_head, event_seq = k.event_seq from kept.tasks k where k.id = t.id`,
  ),
);

/** Changes the tables as somebody for whom no guard counts. */
function tamper(...statements: string[]) {
  return api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    ...statements.map((text) => ({ text })),
  ]);
}

async function verify(): Promise<unknown> {
  return expectDone(await api.call("GET", `/tasks/${task.id}/events/verify`, { as: "viewer" }));
}

const event = (seq: number) => `task_id = '${task.id}' and seq = ${seq}`;

describe("a history", () => {
  test("is whole as long as nobody touches it", async () => {
    expect(await verify()).toMatchObject({ valid: true, events: EVENTS, firstBroken: null });
    expect(await invariantsBrokenBy(api.database, "select 1")).toEqual([]);
  });

  test("has no column that is left out of this test", async () => {
    const columns = await api.database.query(
      "superuser",
      "select attname from pg_attribute where attrelid = 'step_events'::regclass and attnum > 0 and not attisdropped",
    );
    expect(new Set(columns.map(({ attname }) => attname))).toEqual(
      new Set([...Object.keys(COLUMNS), ...OUTSIDE_HISTORY]),
    );
  });

  const tamperings = Object.entries(COLUMNS).flatMap(([column, { set, found }]) =>
    SEQS.map((seq) => ({ column, seq, set, found })),
  );
  test.for(tamperings)(
    "is found $found at $seq where $column was changed",
    async ({ column, seq, set, found }) => {
      const change = `update step_events set ${column} = ${set(api)} where ${event(seq)}`;
      expect(await invariantsBrokenBy(api.database, change)).toContain("hash-chain-whole");
      await tamper(change);
      expect(await verify()).toMatchObject({ valid: false, firstBroken: { seq, reason: found } });
    },
  );

  test("is found changed whichever character of a payload was changed", async () => {
    const [row] = await api.database.query(
      "owner",
      `select payload from step_events where ${event(1)}`,
    );
    const { length } = row?.["payload"] ?? "";
    expect(length).toBeGreaterThan(100);
    for (let place = 1; place <= length; place += 7) {
      const change = `update step_events set payload = overlay(payload placing '~' from ${place} for 1) where ${event(1)}`;
      await tamper(change);
      expect(await verify()).toMatchObject({
        valid: false,
        firstBroken: { seq: 1, reason: "changed" },
      });
      await tamper(
        `update step_events e set payload = k.payload from kept.events k where k.task_id = e.task_id and k.seq = e.seq`,
      );
    }
  });

  test.for(SEQS)("is found to miss event %i where that was removed", async (seq) => {
    const removal = `delete from step_events where ${event(seq)}`;
    expect(await invariantsBrokenBy(api.database, removal)).toContain(
      "events-numbered-without-gap",
    );
    await tamper(removal);
    expect(await verify()).toMatchObject({ valid: false, firstBroken: { seq, reason: "missing" } });
  });

  test("is found broken where two events changed places", async () => {
    await tamper(
      `update step_events set seq = 99 where ${event(2)}`,
      `update step_events set seq = 2 where ${event(3)}`,
      `update step_events set seq = 3 where ${event(99)}`,
    );
    expect(await verify()).toMatchObject({
      valid: false,
      firstBroken: { seq: 2, reason: "broken_link" },
    });
  });

  test("is found broken where its end was cut off and the task set back", async () => {
    await tamper(
      `delete from step_events where ${event(EVENTS)}`,
      `update tasks set event_seq = ${EVENTS - 1} where id = '${task.id}'`,
    );
    expect(await verify()).toMatchObject({
      valid: false,
      firstBroken: { seq: EVENTS - 1, reason: "head_differs" },
    });
  });

  test("is found broken where it was hashed anew but for the head", async () => {
    const [chain = ""] = REHASH.split("update tasks");
    await tamper(
      `update step_events set reason = 'Forged' where ${event(2)}`,
      chain.replaceAll(/^[;\s]+|[;\s]+$/g, ""),
    );
    expect(await verify()).toMatchObject({
      valid: false,
      firstBroken: { seq: EVENTS, reason: "head_differs" },
    });
  });

  test.for(OUTSIDE_HISTORY)("does not tell of %s", async (column) => {
    const another = column === "txid" ? "'1'" : "feed_id + 1000000";
    await tamper(`update step_events set ${column} = ${another} where ${event(2)}`);
    expect(await verify()).toMatchObject({ valid: true });
  });
});
