import { type SQL, sql } from "drizzle-orm";
import type { EvalSnapshot, TrialSlot, TrialSnapshot } from "../domain/evals/snapshot.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import {
  type Operation,
  operationQuery,
  type StoredOperation,
  type TenantDatabase,
} from "./client.ts";
import { EVAL_SNAPSHOT_JSON, TRIAL_SNAPSHOT_JSON } from "./eval-json.ts";
import { wantedIds } from "./load-tasks.ts";
import { isTask } from "./task-match.ts";

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
  stored: StoredOperation | null;
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
    stored: StoredOperation | null;
  }>(sql`
with named as materialized (select e.* from evals e where e.id = ${evalId})
select
  (select ${EVAL_SNAPSHOT_JSON} from named e) as snapshot,
  (select ${TRIAL_SNAPSHOT_JSON} from trials x where x.id = ${trialId}::uuid) as trial,
  (select json_agg(${TRIAL_SNAPSHOT_JSON}) from named e ${liveTrials(slots)}) as live,
  (select json_agg(d.id) from named e ${outputsOf(outputIds)}) as outputs,
  ${storedQuery(operation)} as stored`);
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
  stored: StoredOperation | null;
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
  ${storedQuery(operation)} as stored`);
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
  stored: StoredOperation | null;
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
    stored: StoredOperation | null;
  }>(sql`
with wanted as materialized (${wantedIds({ tasks })}),
target as materialized (
  select t.tenant_id, t.id, t.external_id, t.active_version_id, t.archived_at, e.id as eval_id
  from wanted join tasks t on t.id = wanted.id
  left join lateral (
    select e.id from evals e
    where e.tenant_id = t.tenant_id and e.task_id = t.id and e.version_id = t.active_version_id
      and e.name = ${name} and e.status <> 'cancelled'
    order by e.id desc limit 1) e on true
),
live as materialized (
  select x.eval_id, json_agg(${TRIAL_SNAPSHOT_JSON}) as trials
  from target join evals e on e.tenant_id = target.tenant_id and e.id = target.eval_id ${liveTrials(slots)}
  group by x.eval_id
)
select
  (select json_agg(json_build_object('id', t.id, 'externalId', t.external_id, 'versionId', t.active_version_id,
      'isArchived', t.archived_at is not null,
      'snapshot', case when e.id is null then null else ${EVAL_SNAPSHOT_JSON} end,
      'live', coalesce(live.trials, '[]')))
    from target t left join evals e on e.tenant_id = t.tenant_id and e.id = t.eval_id
      left join live on live.eval_id = t.eval_id) as tasks,
  (select json_agg(json_build_object('id', d.id, 'taskId', d.task_id))
    from data d where d.id in (select value::uuid from json_array_elements_text(${JSON.stringify(outputIds)}))) as outputs,
  ${storedQuery(operation)} as stored`);
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

/** Joins the live trials on these slots to the evals of alias e, as x; it goes through the index of live slots. */
function liveTrials(slots: readonly TrialSlot[]): SQL {
  const asked = JSON.stringify(slots.map(({ k, model }) => ({ k, model })));
  return sql`cross join (select distinct k, model from json_to_recordset(${asked}) as s(k smallint, model text)) s
    join trials x on x.tenant_id = e.tenant_id and x.eval_id = e.id and x.k = s.k and x.model = s.model
      and x.retracted_at is null`;
}

/** Joins to the eval of alias e those of the named outputs that are of its task, as d. */
function outputsOf(outputIds: readonly string[]): SQL {
  return sql`join data d on d.tenant_id = e.tenant_id and d.task_id = e.task_id
    and d.id in (select value::uuid from json_array_elements_text(${JSON.stringify(outputIds)}))`;
}

function storedQuery(operation: Operation): SQL {
  return operation.key === null
    ? sql`null`
    : sql`(select row_to_json(o) from (${operationQuery(operation)}) o)`;
}
