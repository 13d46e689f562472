import { type SQL, sql } from "drizzle-orm";
import type { RecordedEvalEvent } from "../../domain/evals/fold.ts";
import { type LineageRecords, VERDICT_GATES } from "../../domain/lineage/graph.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { IS_ARTIFACT } from "./artifacts.ts";
import type { TenantDatabase } from "../connection/client.ts";
import type { Until } from "../history/events.ts";
import { isTask } from "../tasks/task-match.ts";
import { listed } from "../sql/listed.ts";

/** How many levels of inputs a lineage follows. */
export const LINEAGE_DEPTH_MAX = 20;
/** The maximum of artifacts, prompts, trials, insights and verdicts in a lineage, each. */
export const LINEAGE_ITEMS_MAX = 1000;
/** The maximum of steps, and of versions. It is larger, because every artifact can come from another task. */
export const LINEAGE_STEPS_MAX = 10 * LINEAGE_ITEMS_MAX;
/** Limits the recursion, which visits an artifact once for each depth at which it is an input. */
const VISITS_MAX = 10 * LINEAGE_ITEMS_MAX;

export interface DataLineageRecord extends LineageRecords {
  /** What was left out: inputs beyond the maximum depth, or nodes beyond a maximum number. */
  truncated: { depth: boolean; size: boolean };
}

/** Returns what an artifact was made from, by whom and through which gates; null if there is no such artifact. */
export async function findDataLineage(
  database: TenantDatabase,
  dataId: string,
): Promise<DataLineageRecord | null> {
  const [row] = await database.read<DataLineageRecord>(sql`
with recursive
moment as materialized (select 'infinity'::timestamptz as at, null::uuid as task_id, null::integer as seq),
seeds as materialized (select d.id from data d where d.id = ${dataId} and ${IS_ARTIFACT}),
${ANCESTRY},
trials_found as materialized (
  -- Through the evals of the task, for which there is an index.
  select r.* from (select distinct tenant_id, task_id from artifacts) a
  join evals e on e.tenant_id = a.tenant_id and e.task_id = a.task_id
  join trials r on r.tenant_id = e.tenant_id and r.eval_id = e.id
  where r.output_data_id in (select id from artifacts)
  order by r.id limit ${LINEAGE_ITEMS_MAX + 1}
),
insights_found as materialized (
  select n.* from insights n
  where n.id in (select insight_id from artifacts) or n.trial_id in (select id from trials_found)
  order by n.id limit ${LINEAGE_ITEMS_MAX + 1}
),
prompts_found as materialized (
  select p.* from prompts p where p.id in (select prompt_id from artifacts)
  order by p.id limit ${LINEAGE_ITEMS_MAX + 1}
),
versions_found as materialized (
  select distinct version_id as id from artifacts union select version_id from prompts_found
  union select e.version_id from trials_found r join evals e on e.tenant_id = r.tenant_id and e.id = r.eval_id
),
${HISTORY}
select ${RECORDS} where exists (select from seeds)`);
  return row ?? null;
}

/** A task's lineage, and the seq of its newest event. */
export interface TaskLineageRecord extends DataLineageRecord {
  taskId: string;
  newestSeq: number;
  /** The events until the given moment of each eval that has a trial here; null if no moment was given. */
  evalHistories: RecordedEvalEvent[][] | null;
}

/** Returns the lineage of a task, as it is now or as it was at a moment; null if there is no such task. */
export async function findTaskLineage(
  database: TenantDatabase,
  task: TaskRef,
  until: Until | undefined,
): Promise<TaskLineageRecord | null> {
  const [row] = await database.read<TaskLineageRecord>(sql`
with recursive
target as materialized (select t.tenant_id, t.id, t.event_seq from tasks t where ${isTask(task)}),
moment as materialized (select ${momentOf(until)} from target),
seeds as materialized (
  select d.id from target join data d on d.tenant_id = target.tenant_id and d.task_id = target.id, moment
  where ${IS_ARTIFACT} and coalesce(d.stored_at, d.created_at) <= moment.at
  order by d.id limit ${LINEAGE_ITEMS_MAX + 1}
),
${ANCESTRY},
trials_found as materialized (
  select r.* from target join evals e on e.tenant_id = target.tenant_id and e.task_id = target.id
  join trials r on r.tenant_id = e.tenant_id and r.eval_id = e.id, moment
  where r.created_at <= moment.at
  order by r.id limit ${LINEAGE_ITEMS_MAX + 1}
),
insights_found as materialized (
  select n.* from target join insights n on n.tenant_id = target.tenant_id and n.task_id = target.id, moment
  where n.created_at <= moment.at
  order by n.id limit ${LINEAGE_ITEMS_MAX + 1}
),
prompts_found as materialized (
  select p.* from target join prompts p on p.tenant_id = target.tenant_id and p.task_id = target.id, moment
  where p.created_at <= moment.at
  order by p.id limit ${LINEAGE_ITEMS_MAX + 1}
),
versions_found as materialized (
  select v.id from target join task_versions v on v.tenant_id = target.tenant_id and v.task_id = target.id
  union select version_id from artifacts
),
${HISTORY}
select target.id as "taskId", target.event_seq as "newestSeq",
  ${until === undefined ? sql`null::json` : EVAL_HISTORIES} as "evalHistories", ${RECORDS} from target`);
  return row ?? null;
}

const EVAL_HISTORIES = sql`coalesce((select json_agg(histories.events) from (
    select json_agg(json_build_object('evalId', e.eval_id, 'taskId', e.task_id, 'trialId', e.trial_id, 'seq', e.seq,
      'type', e.type, 'fromStatus', e.from_status, 'toStatus', e.to_status, 'payload', e.payload::json)
      order by e.seq) as events
    from eval_step_events e, moment
    where e.eval_id in (select eval_id from trials_found) and e.at <= moment.at group by e.eval_id
  ) histories), '[]')`;

/** Returns the columns of `moment`: the time until which events are read, and for the target task also a last seq. */
function momentOf(until: Until | undefined): SQL {
  if (until === undefined) {
    return sql`'infinity'::timestamptz as at, target.id as task_id, null::integer as seq`;
  }
  if ("time" in until) {
    return sql`${until.time}::timestamptz as at, target.id as task_id, null::integer as seq`;
  }
  return sql`(select e.at from step_events e where e.tenant_id = target.tenant_id and e.task_id = target.id
    and e.seq = ${until.seq}) as at, target.id as task_id, ${until.seq}::integer as seq`;
}

/** The CTEs from `seeds` to `artifacts`: the seeds and their inputs, nearest first, up to the maximums. */
const ANCESTRY = sql`ancestry (id, depth) as (
  select id, 0 from seeds
  union
  select d.id, a.depth + 1 from ancestry a
  join data_inputs i on i.child_id = a.id join data d on d.tenant_id = i.tenant_id and d.id = i.parent_id
  where a.depth <= ${LINEAGE_DEPTH_MAX} and ${IS_ARTIFACT}
),
-- The recursion produces one depth after the other, and stops at the limit.
visited as materialized (select id, depth from ancestry limit ${VISITS_MAX}),
nearest as materialized (select id, min(depth) as depth from visited group by id),
artifacts as materialized (
  select d.* from nearest join data d on d.id = nearest.id where nearest.depth <= ${LINEAGE_DEPTH_MAX}
  order by nearest.depth, d.id limit ${LINEAGE_ITEMS_MAX}
)`;

/**
 * The CTEs that read the events of `versions_found` up to the moment. A step has the state that its newest event left,
 * as in the fold.
 */
const HISTORY = sql`history as materialized (
  select e.* from versions_found f join task_versions v on v.id = f.id
  join step_events e on e.tenant_id = v.tenant_id and e.task_id = v.task_id and e.version_id = v.id, moment
  -- The events of one call have the same time, so a last seq must be compared with seqs.
  where case when moment.seq is not null and e.task_id = moment.task_id then e.seq <= moment.seq
    else e.at <= moment.at end
),
states as materialized (
  -- In one pass: a self-join of the history may be planned as a nested loop.
  select distinct on (step_id) tenant_id, step_id as id, to_status, to_gate,
    first_value(type) over of_step as opened_by,
    first_value(payload) over of_step::json -> 'opened' ->> 'fromStepId' as from_step_id
  from history window of_step as (partition by step_id order by seq)
  order by step_id, seq desc
),
versions_seen as materialized (select distinct tenant_id, version_id as id from history),
verdicts as materialized (
  select * from history
  where to_gate in (${listed(VERDICT_GATES)}) and from_gate is distinct from to_gate
  order by at desc, seq desc limit ${LINEAGE_ITEMS_MAX + 1}
)`;

const maker = (row: string): SQL =>
  sql.raw(
    `'model', ${row}.model, 'modelRevision', ${row}.model_revision, 'agent', ${row}.agent, 'agentRevision', ${row}.agent_revision, 'provider', ${row}.provider`,
  );

/** Builds a member of LineageRecords, one record for each row of `from`. */
function records(facts: SQL, to: SQL, from: SQL): SQL {
  return sql`coalesce((select json_agg(json_build_object('facts', json_build_object(${facts}),
    'to', json_build_object(${to}))) from ${from}), '[]')`;
}

const limited = (rows: string, max = LINEAGE_ITEMS_MAX): SQL =>
  sql`(select * from ${sql.raw(rows)} order by id limit ${max})`;
const isBeyondMax = (rows: string, max = LINEAGE_ITEMS_MAX): SQL =>
  sql`(select count(*) from ${sql.raw(rows)}) > ${max}`;

const RECORDS = sql`
  ${records(
    sql`'id', d.id, 'taskId', d.task_id, 'kind', d.kind, 'contentType', d.content_type, 'sizeBytes', d.size_bytes,
      'sha256', encode(d.sha256, 'hex'), 'uri', d.uri, 'storedAt', iso(d.stored_at), 'createdAt', iso(d.created_at)`,
    sql`${maker("d")}, 'stepId', d.step_id, 'promptId', d.prompt_id, 'insightId', d.insight_id, 'inputIds',
      coalesce((select json_agg(i.parent_id order by i.parent_id) from data_inputs i
        where i.tenant_id = d.tenant_id and i.child_id = d.id), '[]')`,
    sql`artifacts d`,
  )} as artifacts,
  ${records(
    sql`'id', p.id, 'taskId', p.task_id, 'role', p.role, 'contentHash', p.content_hash, 'createdAt', iso(p.created_at)`,
    sql`${maker("p")}, 'stepId', p.step_id, 'trialId', p.trial_id`,
    sql`${limited("prompts_found")} p`,
  )} as prompts,
  ${records(
    sql`'id', s.id, 'taskId', s.task_id, 'kind', s.kind, 'attempt', s.attempt, 'status', state.to_status,
      'gate', state.to_gate`,
    sql`'versionId', s.version_id, 'openedBy', state.opened_by, 'fromStepId', state.from_step_id`,
    sql`${limited("states", LINEAGE_STEPS_MAX)} state
      join steps s on s.tenant_id = state.tenant_id and s.id = state.id`,
  )} as steps,
  ${records(
    sql`'gate', e.to_gate, 'from', e.from_gate, 'status', e.to_status, 'seq', e.seq, 'type', e.type,
      'actor', json_build_object('id', e.actor_id, 'name', e.actor_name, 'kind', e.actor_kind, 'role', e.actor_role),
      'reason', e.reason, 'at', iso(e.at)`,
    sql`'stepId', e.step_id`,
    sql`(select * from (select * from verdicts order by at desc, seq desc limit ${LINEAGE_ITEMS_MAX}) newest
      order by seq) e`,
  )} as verdicts,
  ${records(
    sql`'id', v.id, 'taskId', v.task_id, 'number', v.number, 'contentHash', v.content_hash, 'reason', v.reason,
      'createdBy', v.created_by, 'createdAt', iso(v.created_at),
      'sealedAt', case when v.sealed_at <= (select at from moment) then iso(v.sealed_at) end`,
    sql``,
    sql`${limited("versions_seen", LINEAGE_STEPS_MAX)} seen
      join task_versions v on v.tenant_id = seen.tenant_id and v.id = seen.id`,
  )} as versions,
  ${records(
    sql`'id', r.id, 'taskId', r.task_id, 'eval', json_build_object('id', e.id, 'name', e.name), 'k', r.k,
      'status', r.status, 'retracted', r.retracted_at is not null, 'createdAt', iso(r.created_at)`,
    sql`${maker("r")}, 'versionId', e.version_id, 'outputDataId', r.output_data_id`,
    sql`${limited("trials_found")} r join evals e on e.tenant_id = r.tenant_id and e.id = r.eval_id`,
  )} as trials,
  ${records(
    sql`'id', n.id, 'taskId', n.task_id, 'kind', n.kind, 'status',
      case when n.updated_at <= (select at from moment) then n.status end, 'createdAt', iso(n.created_at)`,
    sql`${maker("n")}, 'trialId', n.trial_id`,
    sql`${limited("insights_found")} n`,
  )} as insights,
  json_build_object(
    'depth', exists (select from nearest where depth > ${LINEAGE_DEPTH_MAX}),
    'size', (select count(*) from visited) = ${VISITS_MAX} or ${isBeyondMax("nearest")}
      or ${isBeyondMax("prompts_found")} or ${isBeyondMax("trials_found")} or ${isBeyondMax("insights_found")}
      or ${isBeyondMax("verdicts")} or ${isBeyondMax("states", LINEAGE_STEPS_MAX)}
      or ${isBeyondMax("versions_seen", LINEAGE_STEPS_MAX)}) as truncated`;
