import { type SQL, sql } from "drizzle-orm";
import type { EvalSnapshot, TrialSlot, TrialSnapshot } from "../../domain/evals/snapshot.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { EVAL_SNAPSHOT_JSON, TRIAL_SNAPSHOT_JSON } from "./eval-json.ts";
import { wantedIds } from "../snapshots/load-tasks.ts";
import { isTask } from "../tasks/task-match.ts";
import { storedJson } from "../connection/transaction.ts";

/** How a call names what it is about, and what else its decision asks for. */
export interface EvalNames {
  /** An eval, or a trial: its eval is loaded then, and the trial itself. */
  of: { evalId: string } | { trialId: string };
  slots?: readonly TrialSlot[];
  outputIds?: readonly string[];
}

export interface LoadedEval {
  snapshot: EvalSnapshot | null;
  trial: TrialSnapshot | null;
  /** The live trials on the slots that were named. */
  live: TrialSnapshot[];
  /** Those of the named outputs that are of the eval's task. */
  outputIds: ReadonlySet<string>;
  /** What an earlier call under the same key stored. */
  stored: OperationRecord | null;
}

/** Loads all that a decision about one eval may look at, and what the ledger has under the call's key. */
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
    live: TrialSnapshot[] | null;
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

/** A task and the version of it that is to be evaluated. */
export interface LoadedVersion {
  task: { id: string; isArchived: boolean } | null;
  /** Null where the task has no version of that number. */
  version: { id: string } | null;
  stored: OperationRecord | null;
}

/** Loads a task with one of its versions, the active one where none is named. */
export async function loadVersion(
  database: TenantDatabase,
  { task, versionNumber }: { task: TaskRef; versionNumber?: number | undefined },
  operation: Operation,
): Promise<LoadedVersion> {
  const wanted =
    versionNumber === undefined
      ? sql`v.id = t.active_version_id`
      : sql`v.task_id = t.id and v.number = ${versionNumber}`;
  const [row] = await database.read<LoadedVersion>(sql`
with named as materialized (
  select t.id, t.archived_at, v.id as version_id
  from tasks t left join task_versions v on v.tenant_id = t.tenant_id and ${wanted}
  where ${isTask(task)}
)
select
  (select json_build_object('id', n.id, 'isArchived', n.archived_at is not null) from named n) as task,
  (select json_build_object('id', n.version_id) from named n where n.version_id is not null) as version,
  ${storedJson(operation)} as stored`);
  return row ?? { task: null, version: null, stored: null };
}

/** A task with what its active version has of an evaluation. */
export interface EvaluatedTask {
  id: string;
  externalId: string | null;
  versionId: string;
  isArchived: boolean;
  /** The newest live eval of the name on the active version. */
  snapshot: EvalSnapshot | null;
  live: TrialSnapshot[];
}

export interface LoadedEvaluation {
  find: (ref: TaskRef) => EvaluatedTask | undefined;
  /** Those of the named outputs that a task has. */
  outputIdsOf: (taskId: string) => ReadonlySet<string>;
  stored: OperationRecord | null;
}

/** Loads what an evaluation over many tasks may look at, in one round trip for any number of them. */
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
    -- By the index of the task's evals: there may be as many of the name as there are tasks.
    from (select * from evals where tenant_id = t.tenant_id and task_id = t.id offset 0) e
    where e.version_id = t.active_version_id and e.name = ${name} and e.status <> 'cancelled'
    order by e.id desc limit 1) e on true
)
select
  (select json_agg(json_build_object('id', id, 'externalId', external_id, 'versionId', active_version_id,
    'isArchived', archived_at is not null, 'snapshot', snapshot, 'live', coalesce(live, '[]'))) from target) as tasks,
  (select json_agg(json_build_object('id', d.id, 'taskId', d.task_id))
    from data d where d.id in (select value::uuid from json_array_elements_text(${JSON.stringify(outputIds)}))) as outputs,
  ${storedJson(operation)} as stored`);
  const found = row?.tasks ?? [];
  const byId = new Map(found.map((task) => [task.id, task]));
  const byExternalId = new Map(found.map((task) => [task.externalId, task]));
  const outputs = Map.groupBy(row?.outputs ?? [], ({ taskId }) => taskId);
  return {
    find: (ref) => ("id" in ref ? byId.get(ref.id) : byExternalId.get(ref.externalId)),
    outputIdsOf: (taskId) => new Set(outputs.get(taskId)?.map(({ id }) => id)),
    stored: row?.stored ?? null,
  };
}

/** The CTE that LIVE_TRIALS looks for. */
function slotsOf(slots: readonly TrialSlot[]): SQL {
  const asked = JSON.stringify(slots.map(({ k, model }) => ({ k, model })));
  return sql`slot as materialized (
  select distinct k, model from json_to_recordset(${asked}) as s(k smallint, model text))`;
}

/** The live trials on the slots of the eval of alias e: one look for each, by the index of live slots. */
const LIVE_TRIALS = sql`(select json_agg(${TRIAL_SNAPSHOT_JSON}) from slot s cross join lateral (
    select * from trials where tenant_id = e.tenant_id and eval_id = e.id and k = s.k and model = s.model
      and retracted_at is null offset 0) x)`;

/** Joins to the eval of alias e those of the named outputs that are of its task, as d. */
function outputsOf(outputIds: readonly string[]): SQL {
  return sql`join data d on d.tenant_id = e.tenant_id and d.task_id = e.task_id
    and d.id in (select value::uuid from json_array_elements_text(${JSON.stringify(outputIds)}))`;
}
