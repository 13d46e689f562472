import { beforeAll, describe, expect, it } from "vitest";
import type { EvalEventView, StepEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";

interface EventPage {
  data: StepEventView[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** A task with five events across two steps. */
async function givenMovedTask(): Promise<{ task: TaskView; firstStepId: string }> {
  const created = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
  const firstStepId = created.currentStep.id;
  await api.call("POST", `/tasks/${created.id}/notes`, { body: { text: "Looks good." } });
  const body = { kind: "expert", outcome: "passed", move: { status: "approved" } };
  expectDone(await api.call("POST", `/tasks/${created.id}/reviews`, { body }), 201);
  expectDone(await api.call("POST", `/tasks/${created.id}/advance`, { body: {} }));
  const task = await api.call<TaskView>("GET", `/tasks/${created.id}`);
  return { task: task.body, firstStepId };
}

async function sha256(prevHash: string, canonical: string): Promise<string> {
  const previous = Uint8Array.from(prevHash.match(/../g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
  const bytes = new Uint8Array([...previous, ...new TextEncoder().encode(canonical)]);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function walk(path: string): Promise<StepEventView[]> {
  const events: StepEventView[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page: EventPage = expectDone(
      await api.call<EventPage>("GET", `${path}?limit=2${more}`, { as: "viewer" }),
    );
    events.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return events;
}

describe("Task events", () => {
  it("are numbered without gaps across pages and form a hash chain from 32 zero bytes", async () => {
    const { task } = await givenMovedTask();
    const events = await walk(`/tasks/${task.id}/events`);
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([
      [1, "task_created"],
      [2, "note_added"],
      [3, "review_recorded"],
      [4, "step_transitioned"],
      [5, "step_advanced"],
    ]);
    let previous = "0".repeat(64);
    for (const event of events) {
      expect(event.prevHash).toBe(previous);
      expect(await sha256(event.prevHash, event.canonical)).toBe(event.hash);
      previous = event.hash;
    }
  });

  it("equal the events in the responses of the calls that wrote them", async () => {
    const { id, currentStep } = await api.givenTask();
    const moved = await api.call<{ events: StepEventView[] }>("PATCH", `/steps/${currentStep.id}`, {
      body: { status: "running", reason: "Begun.", payload: { b: 1, a: [2] } },
    });
    const { data } = expectDone(await api.call<EventPage>("GET", `/tasks/${id}/events`));
    expect(data.slice(1)).toEqual(expectDone(moved).events);
  });

  it("list their columns in `canonical`, after the version of the format", async () => {
    const { task } = await givenMovedTask();
    const [first] = await walk(`/tasks/${task.id}/events`);
    const fields: unknown[] = JSON.parse(first?.canonical ?? "[]");
    expect(fields.slice(0, 4)).toEqual(["sl1", api.tenant.id, task.id, 1]);
    expect(fields.at(-1)).toBe(first?.at);
  });

  it("can be listed for one step", async () => {
    const { task, firstStepId } = await givenMovedTask();
    const first = await walk(`/steps/${firstStepId}/events`);
    expect(first.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    const second = await walk(`/steps/${task.currentStep.id}/events`);
    expect(second.map(({ seq }) => seq)).toEqual([5]);
    expect(second[0]?.step).toEqual({
      id: task.currentStep.id,
      kind: "output_generation",
      attempt: 1,
    });
  });

  it("take one round trip per page", async () => {
    const { task, firstStepId } = await givenMovedTask();
    for (const path of [
      `/tasks/${task.id}/events`,
      `/steps/${firstStepId}/events`,
      `/tasks/${task.id}/timeline`,
      `/tasks/${task.id}/events/verify`,
    ]) {
      expect(await api.roundTripsOf(() => api.call("GET", path))).toBe(1);
    }
  });

  it("return 404 for an unknown step, and the same response for another tenant's step", async () => {
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    const headers = { "x-request-id": "same" };
    const path = (id: string) => `/steps/${id}/events`;
    const unknown = await api.call("GET", path(crypto.randomUUID()), { headers });
    expectProblem(unknown, "not_found", 404);
    const other = await api.call("GET", path(theirs.currentStep.id), { headers });
    expect(other.text).toBe(unknown.text);
  });
});

describe("A task's timeline", () => {
  it("has the events of the task and its evals in the order in which they were written", async () => {
    const { task } = await givenMovedTask();
    const evalId = await givenEval(task);
    await api.call("POST", `/tasks/${task.id}/notes`, { body: { text: "After the eval." } });
    const { data } = expectDone(
      await api.call<{ data: (StepEventView | EvalEventView)[] }>(
        "GET",
        `/tasks/${task.id}/timeline`,
        { as: "viewer" },
      ),
    );
    expect(data.map(({ stream, seq, type }) => [stream, seq, type])).toEqual([
      ["task", 1, "task_created"],
      ["task", 2, "note_added"],
      ["task", 3, "review_recorded"],
      ["task", 4, "step_transitioned"],
      ["task", 5, "step_advanced"],
      ["eval", 1, "eval_created"],
      ["task", 6, "note_added"],
    ]);
    expect(data[5]).toMatchObject({ evalId, taskId: task.id, from: null, to: "draft" });
    const { data: events } = expectDone(
      await api.call<EventPage>("GET", `/tasks/${task.id}/events`),
    );
    expect(data.filter(({ stream }) => stream === "task")).toEqual(events);
  });

  it("has each event of both streams exactly once across pages", async () => {
    const { task } = await givenMovedTask();
    await givenEval(task);
    const events = await walk(`/tasks/${task.id}/timeline`);
    expect(events.map(({ stream, seq }) => `${stream} ${seq}`)).toEqual([
      "task 1",
      "task 2",
      "task 3",
      "task 4",
      "task 5",
      "eval 1",
    ]);
  });
});

/** An eval with its first event, inserted by the owner of the database. */
async function givenEval(task: TaskView): Promise<string> {
  const evalId = crypto.randomUUID();
  const ids = [api.tenant.id, evalId, task.id];
  await api.database.transaction("owner", [
    {
      text: `insert into evals (tenant_id, id, task_id, version_id, name, k, status, event_seq, event_head, created_by, updated_at)
        values ($1, $2, $3, $4, 'pass', 2, 'draft', 1, sha256('event'), 'tester', now())`,
      values: [...ids, task.activeVersion.id],
    },
    {
      text: `insert into eval_step_events (tenant_id, eval_id, task_id, seq, type, to_status, actor_id, actor_name,
          actor_kind, actor_role, payload, operation_id, request_id, registry_version, at, prev_hash, hash)
        values ($1, $2, $3, 1, 'eval_created', 'draft', 'tester', 'Tester', 'system', 'admin', '{"k":2}',
          gen_random_uuid(), 'test', 1, clock_timestamp(), decode(repeat('00', 32), 'hex'), sha256('event'))`,
      values: ids,
    },
  ]);
  return evalId;
}
