import type { ReviewWorkView } from "../../../src/actions/reviews/claim-reviews.ts";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { givenOpenEval, givenTrial } from "../../routes/evals/support.ts";
import { type CallOptions, expectDone, type Tenant, type TestApi } from "../api.ts";
import { givenDead } from "../dispatches.ts";
import { newSecret } from "../../../src/outbound/secrets.ts";
import { testSealer } from "../sealing.ts";
import { seedMix } from "../../../src/domain/seed/mix.ts";
import { importedState } from "../imported-state.ts";
import { givenOfferedRun } from "../runs.ts";
import type { Kind, Sample, Things } from "./sample.ts";
import { contractOf, senderOf } from "./send-sample.ts";

/** The content that samples upload, and its declaration. */
export const SAMPLE_CONTENT = {
  text: "Seventy-two.",
  declared: {
    contentType: "text/plain",
    sizeBytes: 12,
    sha256: "cc15f7045a9635ebb17eba40696080437d7b1b5dadaa69426433f3304dec5155",
  },
};

/** Names of things that do not exist. */
export function unknownThings(): Things {
  const id = () => crypto.randomUUID();
  return {
    task: id(),
    externalId: `external-${id()}`,
    freeName: `external-${id()}`,
    original: id(),
    evaluatedTask: id(),
    step: id(),
    claim: id(),
    review: id(),
    run: id(),
    paymentRun: id(),
    endedRun: id(),
    claimedRun: id(),
    version: id(),
    prompt: id(),
    data: id(),
    storedData: id(),
    bulkOperation: id(),
    dispatch: id(),
    deadDispatch: id(),
    waitingOperation: id(),
    staleOperation: id(),
    failedRevert: id(),
    eval: id(),
    trial: id(),
    insight: id(),
    apiKey: id(),
    person: id(),
    freePerson: id(),
    code: `code-${id()}`,
    freeCode: `code-${id()}`,
    seedRun: id(),
    freeObject: `demo/ingestion/${id()}.txt`,
    webhook: `hook-${id()}`,
    freeWebhook: `hook-${id()}`,
    delivery: id(),
  };
}

/** All names under which another tenant could ask for a thing of this kind: a task also has an external id. */
export function spellingsOf(kind: Kind, things: Things): string[] {
  if (kind === "freeWebhook") return [things.webhook];
  if (kind === "freePerson") return [things.person];
  if (kind === "freeCode") return [things.code];
  if (kind === "task") return [things.task, `ext:${things.externalId}`];
  return [kind === "freeName" ? things.externalId : things[kind]];
}

/**
 * Creates what a sample names, for the tenant that sends it or another one: a task at the place that the sample wants, and
 * things of that task. The task and the original get the given external ids; without one, the original has none.
 */
export async function givenThings(
  api: TestApi,
  sample: Sample,
  owner?: Tenant,
  externalIds: { task?: string; original?: string } = {},
): Promise<Things> {
  const tenant = owner ?? (await senderOf(api, contractOf(sample)));
  const things = unknownThings();
  if (externalIds.task !== undefined) things.externalId = externalIds.task;
  const { at, isArchived, isOffered, evalStatus = "draft", prepare, names } = sample;
  const kinds = new Set(Object.values(names));
  const create = async (path: string, body: object, options: CallOptions = {}) => {
    const answer = await api.call<Record<string, string>>("POST", path, {
      tenant,
      body,
      idempotencyKey: crypto.randomUUID(),
      ...options,
    });
    expectDone(answer, answer.status === 200 ? 200 : 201);
    return answer.body;
  };
  const open = async (kind: Kind, path: string, body: object, options: CallOptions = {}) => {
    if (!kinds.has(kind)) return;
    const { id = "" } = await create(path, body, options);
    things[kind] = id;
  };

  await prepare?.(api, tenant);
  const { externalId } = things;
  const task = await api.givenTask({ tenant, externalId, ...(at !== undefined && { at }) });
  const onTask = `/tasks/${task.id}`;
  Object.assign(things, {
    task: task.id,
    version: task.activeVersion.id,
    step: task.currentStep.id,
  });
  if (isArchived) await create(`${onTask}/archive`, {});
  if (isOffered) await givenOfferedRun(api, { tenant });
  const { original } = externalIds;
  if (kinds.has("original") || original !== undefined) {
    const other = { tenant, ...(original !== undefined && { externalId: original }) };
    things.original = (await api.givenTask(other)).id;
  }
  const asService = { as: "service" } as const;
  if (kinds.has("claim")) {
    const work = await create("/reviews/claim", { own: true, max: 20 });
    const { data } = work as unknown as { data: ReviewWorkView[] };
    Object.assign(things, { claim: data.find((one) => one.task.id === task.id)?.claim.id });
  }
  if (kinds.has("review")) {
    const verdict = { kind: "expert", outcome: "failed", move: { status: "changes_requested" } };
    const reviewed = await create(`${onTask}/reviews`, verdict);
    Object.assign(things, { review: (reviewed as unknown as Reviewed).review.id });
  }
  await open("run", `${onTask}/worker-runs`, { type: "QUALITY_AUTOMATION" }, asService);
  await open("paymentRun", `${onTask}/worker-runs`, { type: "PAYMENT" }, asService);
  await open("endedRun", `${onTask}/worker-runs`, { type: "PAYMENT" }, asService);
  if (kinds.has("endedRun")) {
    const ended = { ...asService, tenant, body: { state: "SUCCEEDED" } };
    expectDone(await api.call("PATCH", `/worker-runs/${things.endedRun}`, ended));
  }
  if (kinds.has("claimedRun")) {
    const offered = { tenant, pipeline: "output_generation" } as const;
    const { task: waiting, runId } = await givenOfferedRun(api, offered);
    await create("/worker-runs/claim", { types: ["OUTPUT_GENERATION"], max: 100 }, asService);
    Object.assign(things, { task: waiting.id, claimedRun: runId });
  }
  if (kinds.has("bulkOperation")) {
    const change = { taskIds: [task.id], targetStatus: "PASSED", runAttachedWorkflows: true };
    const operation = await create("/bulk/execute", { ...change, reason: "To have one" });
    things.bulkOperation = operation["operationId"] ?? "";
  }
  const request = { pipeline: "quality_automation", reason: "To have one" };
  await open("dispatch", `/steps/${task.currentStep.id}/dispatch`, request);
  await open("deadDispatch", `/steps/${task.currentStep.id}/dispatch`, request);
  if (kinds.has("deadDispatch")) await givenDead(api.database, things.deadDispatch);
  for (const [kind, state] of [
    ["waitingOperation", "queued"],
    ["staleOperation", "failed"],
  ] as const) {
    if (kinds.has(kind)) await givenOperation(api, { tenant, task, state, id: things[kind] });
  }
  if (kinds.has("failedRevert")) {
    const id = crypto.randomUUID();
    await givenOperation(api, { tenant, task, state: "failed", id });
    await givenFailedRevert(api, { tenant, task, id: things.failedRevert, of: id });
  }
  if (kinds.has("eval") || kinds.has("trial")) {
    const { id } = await givenOpenEval(api, { tenant, task, status: evalStatus });
    things.eval = id;
    if (kinds.has("trial")) {
      things.trial = (await givenTrial(api, id, { model: "solver-7b" }, { tenant })).id;
    }
  }
  if (kinds.has("evaluatedTask")) {
    const { id } = await api.givenTask({ tenant });
    const results = [{ task: id, model: "solver-7b", k: 1, passed: true }];
    await create("/evals/record", { name: "accuracy", k: 1, results });
    things.evaluatedTask = id;
  }
  const completion = { taskId: task.id, kind: "completion", model: "solver-7b" };
  await open("insight", "/insights", completion, asService);
  await open("prompt", `${onTask}/prompts`, { role: "user", content: "How many?" });
  const { declared, text } = SAMPLE_CONTENT;
  await open("data", `${onTask}/data`, { kind: "source", ...declared });
  await open("storedData", `${onTask}/data`, { kind: "source", ...declared });
  if (kinds.has("storedData")) {
    const headers = { "content-type": "text/plain" };
    const upload = { tenant, body: text, headers };
    expectDone(await api.call("PUT", `/data/${things.storedData}/content`, upload));
  }
  await open("apiKey", "/api-keys", { name: "A key of the test", role: "viewer" });
  if (kinds.has("person") || kinds.has("freePerson")) {
    const put = { tenant, body: { name: "A person of the test" } };
    expectDone(await api.call("PUT", `/people/${things.person}`, put), 201);
  }
  if (kinds.has("code") || kinds.has("freeCode")) {
    const put = { tenant, body: { label: "A domain of the test", level: "domain" } };
    expectDone(await api.call("PUT", `/taxonomy/${things.code}`, put), 201);
  }
  if (kinds.has("seedRun")) await givenSeedRun(api, tenant, things.seedRun);
  if (kinds.has("webhook") || kinds.has("freeWebhook")) await givenWebhook(api, tenant, things);
  return things;
}

/** Ends the open story of a tenant, which can only have one. */
async function endStories({ database }: TestApi, { id }: Tenant): Promise<void> {
  const end = `update seed_runs set state = 'ended', slice_until = null
    where tenant_id = $1 and state in ('active', 'deleting')`;
  await database.query("owner", end, [id]);
}

/** Ends the open story of a demo. The first time, it starts one, so that each demo has its clock, and the taxonomy. */
export async function toldBefore(api: TestApi, tenant: Tenant): Promise<void> {
  const found = "select from seed_runs where tenant_id = $1 limit 1";
  const body = { seed: 1, tasks: 5, days: 14 };
  if ((await api.database.query("owner", found, [tenant.id])).length === 0) {
    expectDone(await api.call("POST", "/seed/runs", { tenant, body }), 201);
  }
  await endStories(api, tenant);
}

async function givenSeedRun(api: TestApi, tenant: Tenant, id: string): Promise<void> {
  await endStories(api, tenant);
  await api.database.query(
    "owner",
    `with clock as (
       insert into simulated_clocks (tenant_id, at, speed, set_at)
       select id, '2026-11-16 12:00Z', 0, now() from tenants where id = $1 and kind = 'demo'
       on conflict do nothing
     )
     insert into seed_runs (tenant_id, id, state, seed, tasks, anchor, days, mix, speed, wanted_until, applied_until,
       created_by)
     values ($1, $2, 'active', 1, 5, '2026-11-30 12:00Z', 14, $3, 0, '2026-11-16 12:00Z', '2026-11-16 12:00Z', 'a test')`,
    [tenant.id, id, JSON.stringify(seedMix.parse(undefined))],
  );
}

/** Stores a webhook with a dead delivery. Its URL is not allowed, so a ping is refused before anything is sent. */
async function givenWebhook(
  { database }: TestApi,
  { id: tenantId }: Tenant,
  { webhook, delivery }: Things,
): Promise<void> {
  const id = crypto.randomUUID();
  const address = { tenantId, kind: "webhook", name: webhook, id } as const;
  await database.query(
    "owner",
    `with created as (
  insert into webhooks (tenant_id, id, name, url, events, position_txid, position_feed_id, heard_nothing_of)
  values ($1, new_id(), $2, 'http://nowhere.test', array['bulk.finished'],
    pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot())
  returning tenant_id, id, name
), sealed as (
  insert into signing_secrets (tenant_id, id, kind, name, sealed)
  select tenant_id, $4, 'webhook', name, $5 from created
)
insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, state)
select tenant_id, $3::uuid, id, name, 'bulk.finished', $3::text, '{}', 'dead' from created`,
    [tenantId, webhook, delivery, id, await testSealer().seal(address, newSecret())],
  );
  await database.transaction("owner", importedState(tenantId));
}

/** Stores an operation over one task that is still queued, or that failed because its task was stale. */
/** Stores a revert whose only task the database refused. */
async function givenFailedRevert(
  { database }: TestApi,
  given: { tenant: Tenant; task: TaskView; id: string; of: string },
): Promise<void> {
  await database.query(
    "owner",
    `with operation as (
       insert into bulk_operations (tenant_id, id, actor_id, actor_name, action, reason, parent_id,
         run_attached_workflows, state, requested, changed, refused, stale, failed, dispatched, finished_at)
       values ($1, $2, 'an-operator', 'An operator', 'revert', 'To have one', $3, false, 'failed', 1, 0, 0, 0, 1, 0, now())
     ), reverted as (
       update bulk_operations set reverted_by = $2 where tenant_id = $1 and id = $3
     )
     insert into bulk_operation_items (tenant_id, operation_id, position, task_id, planned_seq, outcome, code)
     values ($1, $2, 0, $4, $5, 'failed', 'database_refused')`,
    [given.tenant.id, given.id, given.of, given.task.id, given.task.eventSeq + 1],
  );
}

async function givenOperation(
  { database }: TestApi,
  given: { tenant: Tenant; task: TaskView; state: "queued" | "failed"; id: string },
): Promise<void> {
  const { tenant, task, state, id } = given;
  const isStale = state === "failed";
  await database.query(
    "owner",
    `with operation as (
       insert into bulk_operations (tenant_id, id, actor_id, actor_name, target_status, reason,
         run_attached_workflows, state, requested, changed, refused, stale, failed, dispatched, finished_at)
       values ($1, $2, 'an-operator', 'An operator', 'PASSED', 'To have one', false, $3, 1, 0, 0, $4::integer, 0, 0,
         case when $4::integer = 1 then now() end)
     )
     insert into bulk_operation_items (tenant_id, operation_id, position, task_id, planned_seq, outcome, code,
       from_label, to_label)
     values ($1, $2, 0, $5, $6, case when $4::integer = 1 then 'stale' else 'pending' end,
       case when $4::integer = 1 then 'stale' end, $7, 'PASSED')`,
    [tenant.id, id, state, isStale ? 1 : 0, task.id, task.eventSeq, task.unifiedStatus],
  );
}
