import { beforeAll, describe, expect, it } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import type { SqlStatement } from "../../support/database.ts";

interface Verdict {
  valid: boolean;
  events: number;
  head: string;
  firstBroken: { seq: number; reason: string } | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** A task with five events. */
async function givenHistory(): Promise<TaskView> {
  const { id, currentStep } = await api.givenTask();
  const moves = ["running", "awaiting_review", "approved"];
  for (const status of moves) {
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body: { status } }));
  }
  await api.call("POST", `/tasks/${id}/notes`, { body: { text: "Done." } });
  return expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
}

const verdictOf = async ({ id }: TaskView): Promise<Verdict> =>
  expectDone(await api.call<Verdict>("GET", `/tasks/${id}/events/verify`, { as: "viewer" }));

/** Changes rows with triggers and foreign keys switched off, which neither the product nor its owner can do. */
const tamper = (...statements: SqlStatement[]) =>
  api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    ...statements,
  ]);

describe("Verifying a task's history", () => {
  it("accepts an untouched history", async () => {
    const task = await givenHistory();
    const [row] = await api.database.query(
      "owner",
      "select encode(event_head, 'hex') as head from tasks where id = $1",
      [task.id],
    );
    expect(await verdictOf(task)).toEqual({
      valid: true,
      events: 5,
      head: row?.["head"],
      firstBroken: null,
    });
  });

  it.each([
    ["seq", "seq = 30", "missing"],
    ["type", "type = 'gate_changed'", "changed"],
    ["step", "step_id = gen_random_uuid()", "changed"],
    ["version", "version_id = gen_random_uuid()", "changed"],
    ["status before", "from_status = 'failed'", "changed"],
    ["status after", "to_status = 'failed'", "changed"],
    ["gate before", "from_gate = null", "changed"],
    ["gate after", "to_gate = 'blocked'", "changed"],
    ["actor's id", "actor_id = 'another'", "changed"],
    ["actor's name", "actor_name = 'Another Actor'", "changed"],
    ["actor's kind", "actor_kind = 'system'", "changed"],
    ["actor's role", "actor_role = 'viewer'", "changed"],
    ["reason", "reason = 'Another reason.'", "changed"],
    ["payload", `payload = payload || ' '`, "changed"],
    ["original", "duplicate_of = gen_random_uuid()", "changed"],
    ["opt-in", "run_attached_workflows = not run_attached_workflows", "changed"],
    ["bulk operation", "bulk_operation_id = gen_random_uuid()", "changed"],
    ["operation", "operation_id = gen_random_uuid()", "changed"],
    ["request", "request_id = 'another'", "changed"],
    ["registry version", "registry_version = registry_version + 1", "changed"],
    ["time", "at = at + interval '1 microsecond'", "changed"],
    ["hash", "hash = sha256('forged')", "changed"],
    ["link", "prev_hash = sha256('forged')", "broken_link"],
  ])("detects a changed %s and returns the number of the event", async (_, change, reason) => {
    const task = await givenHistory();
    await tamper({
      text: `update step_events set ${change} where task_id = $1 and seq = 3`,
      values: [task.id],
    });
    expect(await verdictOf(task)).toMatchObject({ valid: false, firstBroken: { seq: 3, reason } });
  });

  it("detects a missing event at the start, in the middle, and at the end", async () => {
    for (const seq of [1, 3, 5]) {
      const task = await givenHistory();
      await tamper({
        text: "delete from step_events where task_id = $1 and seq = $2",
        values: [task.id, seq],
      });
      expect(await verdictOf(task)).toMatchObject({
        valid: false,
        events: 4,
        firstBroken: { seq, reason: "missing" },
      });
    }
  });

  it("detects an event that was changed together with its hash, at the next event", async () => {
    const task = await givenHistory();
    await tamper({
      text: `update step_events e set reason = 'Rewritten', hash = chain_link(null, e.prev_hash,
          step_event_canonical(e.tenant_id, e.task_id, e.seq, e.version_id, e.step_id, e.type, e.from_status,
            e.to_status, e.from_gate, e.to_gate, e.actor_id, e.actor_name, e.actor_kind, e.actor_role, 'Rewritten',
            e.payload, e.duplicate_of, e.run_attached_workflows, e.bulk_operation_id, e.operation_id, e.request_id,
            e.registry_version, e.at))
        where task_id = $1 and seq = 3`,
      values: [task.id],
    });
    expect(await verdictOf(task)).toMatchObject({
      valid: false,
      firstBroken: { seq: 4, reason: "broken_link" },
    });
  });

  it("detects a head that is not the last event's hash", async () => {
    const task = await givenHistory();
    await tamper({
      text: "update tasks set event_head = sha256('forged') where id = $1",
      values: [task.id],
    });
    expect(await verdictOf(task)).toMatchObject({
      valid: false,
      events: 5,
      firstBroken: { seq: 5, reason: "head_differs" },
    });
  });

  it("detects an event beyond the head", async () => {
    const task = await givenHistory();
    await tamper({
      text: "update tasks set event_seq = 4 where id = $1",
      values: [task.id],
    });
    expect(await verdictOf(task)).toMatchObject({
      valid: false,
      firstBroken: { seq: 5, reason: "head_differs" },
    });
  });

  it("returns the first of several faults", async () => {
    const task = await givenHistory();
    await tamper(
      {
        text: "update step_events set reason = 'x' where task_id = $1 and seq = 4",
        values: [task.id],
      },
      {
        text: "update step_events set reason = 'x' where task_id = $1 and seq = 2",
        values: [task.id],
      },
    );
    expect((await verdictOf(task)).firstBroken).toEqual({ seq: 2, reason: "changed" });
  });
});
