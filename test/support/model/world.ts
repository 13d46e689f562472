import { expect } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { Role } from "../../../src/domain/actor.ts";
import type { RunState, WorkerType } from "../../../src/domain/lifecycle/statuses.ts";
import { givenOpenEval, givenTrial } from "../../routes/evals/support.ts";
import { expectDone, type Tenant, type CallableApi } from "../api-calls.ts";
import { importedState } from "../imported-state.ts";
import { givenOfferedRun } from "../runs.ts";
import { untilSettled } from "../settled.ts";

/** The tasks of a tenant that has rows in every table of the lifecycle. */
export interface World {
  tenant: Tenant;
  /** Has two versions, three attempts, notes, passed and failed reviews, ended runs, a running one, and dispatches. */
  busy: TaskView;
  /** Approved, with a payment dispatched. */
  paid: TaskView;
  /** A polling worker has claimed its check and not started. */
  claimed: TaskView;
  /** In expert review, and claimed. Its first review was withdrawn. */
  reviewed: TaskView;
  /** Changed by a bulk operation. */
  changed: TaskView;
  /** Refused by the same operation. */
  refused: TaskView;
  bulkOperationId: string;
}

/** Fills a tenant through the API, and as the owner the tables that no route writes. */
export async function givenWorld(api: CallableApi, tenant: Tenant): Promise<World> {
  const busy = await givenBusyTask(api, tenant);
  const paid = await givenPaidTask(api, tenant);
  const claimed = await givenClaimedTask(api, tenant);
  const reviewed = await givenReviewedTask(api, tenant);
  const changed = await api.givenTask({
    tenant,
    at: { kind: "expert_review", status: "approved" },
  });
  const refused = await api.givenTask({ tenant });
  const executed = await api.call<{ operationId: string }>("POST", "/bulk/execute", {
    tenant,
    idempotencyKey: crypto.randomUUID(),
    body: { taskIds: [changed.id, refused.id], targetStatus: "REJECTED", reason: "Not wanted" },
  });
  const bulkOperationId = expectDone(executed).operationId;
  const world = { tenant, busy, paid, claimed, reviewed, changed, refused, bulkOperationId };
  await givenEvaluation(api, world);
  await givenOtherOperations(api, tenant);
  await givenRevisedTask(api, tenant);
  await givenRowsOfLaterTables(api, world);
  return world;
}

/** Sends the calls of one task. The answer of each has the new state of the task. */
function actingOn(api: CallableApi, tenant: Tenant, task: TaskView) {
  let current = task;
  const act = async <Body extends Moved>(
    as: Role,
    method: string,
    path: string,
    body: object,
  ): Promise<Body> => {
    const answer = await api.call<Body>(method, path, { as, tenant, body });
    expect(answer.status, answer.text).toBeLessThan(300);
    current = answer.body.task;
    return answer.body;
  };
  return {
    task: () => current,
    onTask: (path: string, body: object, as: Role = "admin") =>
      act(as, "POST", `/tasks/${task.id}/${path}`, body),
    status: (status: string, more: object = {}) =>
      act("admin", "PATCH", `/steps/${current.currentStep.id}`, { status, ...more }),
    startRun: async (type: WorkerType): Promise<string> => {
      const run = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
        as: "service",
        tenant,
        body: { type },
      });
      return expectDone(run, 201).id;
    },
    report: (runId: string, state: RunState, more: object = {}) =>
      act("service", "PATCH", `/worker-runs/${runId}`, { state, ...more }),
  };
}

async function givenBusyTask(api: CallableApi, tenant: Tenant): Promise<TaskView> {
  const { task, onTask, status, startRun, report } = actingOn(
    api,
    tenant,
    await api.givenTask({ tenant, title: "Explain a proof", externalId: "busy" }),
  );
  await status("running");
  await onTask("notes", { text: "Looks promising" });
  await status("awaiting_review");
  await status("approved");
  await onTask("versions", {
    content: { brief: "Explain it in two steps" },
    reason: "The brief was too long",
    firstKind: "pre_qa",
  });
  const check = await startRun("QUALITY_AUTOMATION");
  await report(check, "RUNNING");
  await report(check, "SUCCEEDED", { verdict: "failed" });
  await report(check, "FAILED", { error: "Too late" });
  await onTask("reviews", {
    kind: "expert",
    outcome: "passed",
    move: { status: "approved", reason: "A false alarm" },
  });
  await onTask("advance", {});
  const output = await startRun("OUTPUT_GENERATION");
  await report(output, "RUNNING");
  await onTask("rework", { toKind: "pre_qa", reason: "Once more, from the check on" });
  await report(await startRun("QUALITY_AUTOMATION"), "RUNNING");
  return task();
}

/** A task that was accepted, and then revised. */
async function givenRevisedTask(api: CallableApi, tenant: Tenant): Promise<void> {
  const { onTask } = actingOn(
    api,
    tenant,
    await api.givenTask({ tenant, at: { kind: "expert_review", status: "approved" } }),
  );
  await onTask("versions", { content: { brief: "Shorter" }, reason: "It was too long" });
}

async function givenPaidTask(api: CallableApi, tenant: Tenant): Promise<TaskView> {
  const { task, status } = actingOn(
    api,
    tenant,
    await api.givenTask({ tenant, at: { kind: "expert_review", status: "awaiting_review" } }),
  );
  await status("approved", { runAttachedWorkflows: true });
  return task();
}

async function givenReviewedTask(api: CallableApi, tenant: Tenant): Promise<TaskView> {
  const { task, onTask } = actingOn(
    api,
    tenant,
    await api.givenTask({ tenant, at: { kind: "expert_review", status: "in_review" } }),
  );
  const verdict = { kind: "expert", outcome: "failed", notes: "A gap" };
  const move = { status: "changes_requested", reason: "A gap" };
  const recorded = await onTask("reviews", { ...verdict, move });
  const { id } = (recorded as Reviewed).review;
  const body = { reason: "Read the wrong file" };
  expectDone(await api.call("POST", `/reviews/${id}/withdraw`, { tenant, body }));
  const wanted = { own: true, leaseSeconds: 14_400 };
  const claimed = await api.call<{ data: unknown[] }>("POST", "/reviews/claim", {
    tenant,
    body: wanted,
  });
  expect(expectDone(claimed).data).toHaveLength(1);
  return task();
}

async function givenClaimedTask(api: CallableApi, tenant: Tenant): Promise<TaskView> {
  const { task } = await givenOfferedRun(api, { tenant });
  const body = { types: ["QUALITY_AUTOMATION"], leaseSeconds: 3600 };
  const claimed = await api.call<{ data: unknown[] }>("POST", "/worker-runs/claim", {
    as: "service",
    tenant,
    body,
  });
  expect(expectDone(claimed).data).toHaveLength(1);
  return task;
}

/** Creates an operation that only ran pipelines, and one that was reverted. */
async function givenOtherOperations(api: CallableApi, tenant: Tenant): Promise<void> {
  const post = async (path: string, body: object) => {
    const idempotencyKey = crypto.randomUUID();
    const sent = { tenant, idempotencyKey, body: { reason: "To have one", ...body } };
    return expectDone(await api.call<{ operationId: string }>("POST", path, sent)).operationId;
  };
  const queued = await api.givenTask({ tenant, at: { kind: "pre_qa", status: "queued" } });
  await post("/bulk/execute", {
    taskIds: [queued.id],
    action: "run_pipelines",
    runAttachedWorkflows: true,
  });
  await post("/bulk/execute", { taskIds: [queued.id], action: "rework", toKind: "authoring" });
  const reviewed = await api.givenTask({
    tenant,
    at: { kind: "expert_review", status: "in_review" },
  });
  const change = { taskIds: [reviewed.id], targetStatus: "CHANGES_REQUESTED" };
  await post(`/bulk/operations/${await post("/bulk/execute", change)}/revert`, {});
}

/** Creates an eval of the busy task with passed, failed and retracted trials, and one that reuses a freed slot. */
async function givenEvaluation(api: CallableApi, { tenant, busy }: World): Promise<void> {
  const { id: evalId } = await givenOpenEval(api, { tenant, task: busy, status: "running", k: 2 });
  await givenTrial(api, evalId, { passed: true, score: 0.9 }, { tenant });
  const failed = await givenTrial(api, evalId, { k: 2, status: "running" }, { tenant });
  const act = (method: string, path: string, body: object, status: number, as: Role = "admin") =>
    api.call(method, path, { tenant, as, body }).then((answer) => expectDone(answer, status));
  await act("PATCH", `/trials/${failed.id}`, { passed: false }, 200);
  await act("POST", `/trials/${failed.id}/retract`, { reason: "Wrong prompt" }, 200);
  await givenTrial(api, evalId, { k: 2, error: "Out of memory" }, { tenant });
  const insight = { taskId: busy.id, trialId: failed.id, kind: "completion", model: "solver" };
  await act("POST", "/insights", insight, 201, "service");
  await act("PATCH", `/evals/${evalId}`, { k: 3 }, 200);
  await givenAgents(api, { tenant, busy });
}

/** Creates an eval whose slots tell agents apart, with a scored trial of one. */
async function givenAgents(
  api: CallableApi,
  { tenant, busy: task }: Pick<World, "tenant" | "busy">,
): Promise<void> {
  const slots = { name: "agents", slotBy: ["model", "agent"] } as const;
  const { id } = await givenOpenEval(api, { tenant, task, status: "running", ...slots });
  const trial = { agent: "planner", agentRevision: "a1", score: 0.4 };
  await givenTrial(api, id, trial, { tenant });
}

/**
 * Stores a row in each table that the API does not fill, consistent with one another. The tenant becomes a demo, whose
 * simulated clock shows the real time.
 */
async function givenRowsOfLaterTables(
  { database }: CallableApi,
  { tenant, busy }: World,
): Promise<void> {
  // The webhook below has a delivery of an event, so its position must not be before that event.
  await untilSettled(database);
  const place = `'${tenant.id}'::uuid as tenant_id, '${busy.id}'::uuid as task_id,
    '${busy.activeVersion.id}'::uuid as version_id, '${busy.currentStep.id}'::uuid as step_id`;
  const text = `with place as (select ${place}),
prompt as (
  insert into prompts (tenant_id, id, task_id, version_id, step_id, role, content, content_hash, created_by)
  select tenant_id, new_id(), task_id, version_id, step_id, 'user', 'Why?',
    encode(sha256(convert_to('Why?', 'UTF8')), 'hex'), 'setup' from place
), artifact as (
  insert into data (tenant_id, id, task_id, version_id, step_id, kind, uri, content_type, size_bytes, sha256, created_by)
  select tenant_id, new_id(), task_id, version_id, step_id, 'source', 's3://bucket/' || n, 'text/plain', 1,
    sha256(convert_to(n::text, 'UTF8')), 'setup' from place, generate_series(1, 2) n
  returning tenant_id, id
), input as (
  insert into data_inputs (tenant_id, child_id, parent_id) select tenant_id, max(id::text)::uuid, min(id::text)::uuid
  from artifact group by tenant_id
), swept as (
  insert into swept_objects (tenant_id, object_key, deleted_at)
  select tenant_id, tenant_id || '/' || repeat('0', 64), now() from place
), orphan as (
  insert into orphaned_objects (tenant_id, object_key)
  select tenant_id, tenant_id || '/' || repeat('1', 64) from place
), bucket as (
  insert into sweeps (id, number, state) values (new_id(), 1, 'own')
), position as (
  insert into sweep_positions (sweep, position) values ('objects', '') on conflict do nothing
), person as (
  insert into people (tenant_id, id, subject, name) select tenant_id, new_id(), 'ada', 'Ada' from place
  returning tenant_id, id
), personal as (
  insert into api_keys (tenant_id, id, name, role, kind, person_id, digest, last_four, created_by)
  select tenant_id, new_id(), 'Laptop', 'operator', 'person', id, sha256(convert_to(id::text, 'UTF8')), 'last', 'setup'
  from person
), pipeline as (
  insert into pipelines (tenant_id, name) select tenant_id, 'payment' from place
), sealed as (
  insert into signing_secrets (tenant_id, id, kind, name, sealed)
  select tenant_id, new_id(), kind, name, 'v1.k1.' || repeat('A', 16) || '.' || repeat('A', 64)
  from place, (values ('pipeline', 'payment'), ('webhook', 'hook')) o(kind, name)
), hook as (
  insert into webhooks (tenant_id, id, name, url, events, position_txid, position_feed_id, heard_nothing_of)
  select tenant_id, new_id(), 'hook', 'https://hooks.example.test', array['task.label_changed'],
    pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot() from place
  returning tenant_id, id, name
), delivery as (
  insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, occurred_at)
  select tenant_id, new_id(), hook.id, hook.name, 'task.label_changed', concat_ws('/', e.task_id, e.seq), '{}', e.at
  from hook join place using (tenant_id) join step_events e using (tenant_id, task_id) where e.seq = 1
), letter as (
  insert into dead_letters (queue, message_id, reason, body)
  values ('a queue', 'a message', 'The message does not match.', '{}') on conflict do nothing
), demo as (
  update tenants t set kind = 'demo' from place where t.id = place.tenant_id
), clock as (
  insert into simulated_clocks (tenant_id, at, speed, set_at)
  select tenant_id, clock_timestamp(), 1, clock_timestamp() from place on conflict do nothing
), run as (
  insert into seed_runs (tenant_id, id, state, seed, tasks, anchor, days, mix, speed, wanted_until, applied_until,
    created_by)
  select tenant_id, new_id(), 'active', 1, 1, at, 14, '{}', 0, at, at, 'setup'
  from place, (select writer_clock() as at offset 0) clock
)
insert into taxonomy (tenant_id, code, label, level, parent_code)
select tenant_id, code || left(tenant_id::text, 8), label, level, parent || left(tenant_id::text, 8)
from place, (values ('maths-', 'Mathematics', 'domain', null), ('proofs-', 'Proofs', 'category', 'maths-'))
  o(code, label, level, parent)`;
  await database.transaction("owner", [
    { text: "select set_config('app.tenant_id', $1, true)", values: [tenant.id] },
    { text },
    ...importedState(tenant.id),
  ]);
}
