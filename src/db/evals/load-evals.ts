import { type SQL, sql } from "drizzle-orm";
import type { TrialSlot } from "../../domain/evals/slot.ts";
import type { EvalSnapshot, HeldTrial, TrialSnapshot } from "../../domain/evals/snapshot.ts";
import { finderOf, type TaskRef } from "../../domain/task-ref.ts";
import type { Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { EVAL_SNAPSHOT_JSON, HELD_TRIAL_JSON, TRIAL_SNAPSHOT_JSON } from "./eval-json.ts";
import { wantedIds } from "../snapshots/load-tasks.ts";
import { isTask } from "../tasks/task-match.ts";
import { storedJson } from "../connection/stored-operation.ts";
import { IS_LIVE, isOnSlot, slotOf } from "./live.ts";

/** The eval or trial that a call names, and what else its decision needs. */
export interface EvalNames {
  /** An eval, or a trial, which is loaded with its eval. */
  of: { evalId: string } | { trialId: string };
  slots?: readonly TrialSlot[];
  outputIds?: readonly string[];
}

export interface LoadedEval {
  snapshot: EvalSnapshot | null;
  trial: TrialSnapshot | null;
  /** The live trials in the given slots. */
  live: HeldTrial[];
  /** The given outputs that belong to the eval's task. */
  outputIds: ReadonlySet<string>;
  /** What an earlier call with the same idempotency key stored. */
  stored: OperationRecord | null;
}

/** Loads everything that a decision about one eval may read, and what an earlier call with the same key stored. */
export async function loadEval(
  database: TenantDatabase,
  { of, slots = [], outputIds = [] }: EvalNames,
  operation: Operation,
): Promise<LoadedEval> {
  const trialId = "trialId" in of ? of.trialId : null;
  const evalId =
    "evalId" in of ? sql`${of.evalId}` : sql`(select eval_id from trials where id = ${of.trialId})`;
  const [row] = await database.read<{
    snapshot: EvalSnapshot | null;
    trial: TrialSnapshot | null;
    live: HeldTrial[] | null;
    outputs: string[] | null;
    stored: OperationRecord | null;
  }>(sql`
with named as materialized (select e.* from evals e where e.id = ${evalId}),
${slotsOf(slots)}
select
  (select ${EVAL_SNAPSHOT_JSON} from named e) as snapshot,
  (select ${TRIAL_SNAPSHOT_JSON} from trials x where x.id = ${trialId}::uuid) as trial,
  (select ${LIVE_TRIALS} from named e) as live,
  (select json_agg(d.id) from named e ${outputsOf(outputIds)}) as outputs,
  ${storedJson(operation)} as stored`);
  return {
    snapshot: row?.snapshot ?? null,
    trial: row?.trial ?? null,
    live: row?.live ?? [],
    outputIds: new Set(row?.outputs),
    stored: row?.stored ?? null,
  };
}

/** A task and the version of it to evaluate. */
export interface LoadedVersion {
  task: { id: string; isArchived: boolean } | null;
  /** null if the task has no version of that number. */
  version: { id: string } | null;
  /** The live eval of the version with this name. */
  holder: { id: string } | null;
  stored: OperationRecord | null;
}

/** Loads a task and one of its versions: the active one, unless a number is given; and who has the name in it. */
export async function loadVersion(
  database: TenantDatabase,
  {
    task,
    name,
    versionNumber,
  }: { task: TaskRef; name: string; versionNumber?: number | undefined },
  operation: Operation,
): Promise<LoadedVersion> {
  const wanted =
    versionNumber === undefined
      ? sql`v.id = t.active_version_id`
      : sql`v.task_id = t.id and v.number = ${versionNumber}`;
  const [row] = await database.read<LoadedVersion>(sql`
with named as materialized (
  select t.tenant_id, t.id, t.archived_at, v.id as version_id
  from tasks t left join task_versions v on v.tenant_id = t.tenant_id and ${wanted}
  where ${isTask(task)}
)
select
  (select json_build_object('id', n.id, 'isArchived', n.archived_at is not null) from named n) as task,
  (select json_build_object('id', n.version_id) from named n where n.version_id is not null) as version,
  (select json_build_object('id', e.id) from named n join evals e on e.tenant_id = n.tenant_id
    and e.version_id = n.version_id and e.name = ${name} and ${IS_LIVE}) as holder,
  ${storedJson(operation)} as stored`);
  return row ?? { task: null, version: null, holder: null, stored: null };
}

/** A task with the eval and the live trials of its active version. */
export interface EvaluatedTask {
  id: string;
  externalId: string | null;
  versionId: string;
  isArchived: boolean;
  /** The live eval of the given name on the active version; null if there is none. */
  snapshot: EvalSnapshot | null;
  live: HeldTrial[];
}

export interface LoadedEvaluation {
  find: (ref: TaskRef) => EvaluatedTask | undefined;
  /** Returns the given outputs that belong to a task. */
  outputIdsOf: (taskId: string) => ReadonlySet<string>;
  stored: OperationRecord | null;
}

/** Loads everything that an evaluation of many tasks may read, in one round trip. */
export async function loadEvaluation(
  database: TenantDatabase,
  {
    tasks,
    name,
    slots,
    outputIds,
  }: {
    tasks: readonly TaskRef[];
    name: string;
    slots: readonly TrialSlot[];
    outputIds: readonly string[];
  },
  operation: Operation,
): Promise<LoadedEvaluation> {
  const [row] = await database.read<{
    tasks: EvaluatedTask[] | null;
    outputs: { id: string; taskId: string }[] | null;
    stored: OperationRecord | null;
  }>(sql`
with wanted as materialized (${wantedIds({ tasks })}),
${slotsOf(slots)},
target as materialized (
  select t.id, t.external_id, t.active_version_id, t.archived_at, e.snapshot, e.live
  from wanted join tasks t on t.id = wanted.id
  left join lateral (
    select ${EVAL_SNAPSHOT_JSON} as snapshot, ${LIVE_TRIALS} as live
    -- Uses the index on the task's evals, because as many evals as tasks can have this name.
    from (select * from evals where tenant_id = t.tenant_id and task_id = t.id offset 0) e
    where e.version_id = t.active_version_id and e.name = ${name} and ${IS_LIVE}
    -- There is at most one. The order makes the planner read an index, also of a table without statistics.
    order by e.id desc limit 1) e on true
)
select
  (select json_agg(json_build_object('id', id, 'externalId', external_id, 'versionId', active_version_id,
    'isArchived', archived_at is not null, 'snapshot', snapshot, 'live', coalesce(live, '[]'))) from target) as tasks,
  (select json_agg(json_build_object('id', d.id, 'taskId', d.task_id))
    from data d where d.id in (select value::uuid from json_array_elements_text(${JSON.stringify(outputIds)}))) as outputs,
  ${storedJson(operation)} as stored`);
  const found = row?.tasks ?? [];
  const outputs = Map.groupBy(row?.outputs ?? [], ({ taskId }) => taskId);
  return {
    find: finderOf(found),
    outputIdsOf: (taskId) => new Set(outputs.get(taskId)?.map(({ id }) => id)),
    stored: row?.stored ?? null,
  };
}

/** Returns the CTE `slot`, which LIVE_TRIALS reads. */
function slotsOf(slots: readonly TrialSlot[]): SQL {
  const slotRows = slots.map(({ k, model, modelRevision, agent, agentRevision, provider }) => {
    return { k, model, modelRevision, agent, agentRevision, provider };
  });
  return sql`slot as materialized (
  select distinct k, model, "modelRevision" as model_revision, agent, "agentRevision" as agent_revision, provider
  from json_to_recordset(${JSON.stringify(slotRows)}) as s(k smallint, model text, "modelRevision" text, agent text,
    "agentRevision" text, provider text))`;
}

/** The live trials of the eval of alias e in the slots: one lookup per slot, in the index of live slots. */
const LIVE_TRIALS = sql`(select json_agg(${HELD_TRIAL_JSON}) from (
    select distinct k, model, ${slotOf(sql`e.slot_by`, sql`slot`)} as slot from slot) s cross join lateral (
    select * from trials x where tenant_id = e.tenant_id and eval_id = e.id and k = s.k and model = s.model
      and ${isOnSlot(sql`s`)} and retracted_at is null offset 0) x)`;

/** Joins, as d, the given outputs that belong to the task of the eval of alias e. */
function outputsOf(outputIds: readonly string[]): SQL {
  return sql`join data d on d.tenant_id = e.tenant_id and d.task_id = e.task_id
    and d.id in (select value::uuid from json_array_elements_text(${JSON.stringify(outputIds)}))`;
}
