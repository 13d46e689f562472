import { type SQL, sql } from "drizzle-orm";
import type { DispatchState } from "../../domain/pipelines/states.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isOfTask } from "../tasks/task-match.ts";

/** A dispatch as answers show it. */
export interface DispatchRecord {
  id: string;
  pipeline: Pipeline;
  taskId: string;
  versionId: string;
  stepId: string;
  state: DispatchState;
  byHand: boolean;
  bulkOperationId: string | null;
  attempts: number;
  /** When the next attempt is due after a failed one; null if no retry is scheduled. */
  nextAttemptAt: string | null;
  lastError: string | null;
  runId: string | null;
  createdAt: string;
  updatedAt: string;
}

/** One change of a dispatch's state. */
export interface DispatchEventRecord {
  from: DispatchState | null;
  to: DispatchState;
  actor: { id: string; name: string };
  reason: string | null;
  at: string;
}

/** A DispatchRecord as JSON, from the aliases d (dispatch) and w (its run). */
export const DISPATCH_JSON = sql`json_build_object('id', d.id, 'pipeline', d.pipeline, 'taskId', d.task_id,
  'versionId', d.version_id, 'stepId', d.step_id, 'state', d.state, 'byHand', d.by_hand,
  'bulkOperationId', d.bulk_operation_id, 'attempts', d.attempts,
  'nextAttemptAt', case when d.state in ('pending', 'sent') then iso(d.not_before) end,
  'lastError', d.last_error, 'runId', w.id, 'createdAt', iso(d.created_at), 'updatedAt', iso(d.updated_at))`;

const LOG_JSON = sql`json_build_object('from', l.from_state, 'to', l.to_state,
  'actor', json_build_object('id', l.actor_id, 'name', l.actor_name), 'reason', l.reason, 'at', iso(l.at))`;

const DISPATCH_FILTERS = {
  state: (state: DispatchState) => sql`d.state = ${state}`,
  pipeline: (pipeline: Pipeline) => sql`d.pipeline = ${pipeline}`,
  task: (task: TaskRef) => isOfTask(sql`d.task_id`, task),
  bulkOperationId: (id: string) => sql`d.bulk_operation_id = ${id}`,
  createdAfter: (time: string) => sql`d.created_at > ${time}::timestamptz`,
  createdBefore: (time: string) => sql`d.created_at < ${time}::timestamptz`,
};

/** The condition that the dispatch d matches a filter. */
export const matchesDispatch = (filter: DispatchFilter): SQL => matches(DISPATCH_FILTERS, filter);

export type DispatchFilter = FilterOf<typeof DISPATCH_FILTERS>;

/** Returns a page of the matching dispatches, newest first. */
export async function listDispatches(
  database: TenantDatabase,
  filter: DispatchFilter,
  { after, limit }: { after: string | null; limit: number },
): Promise<DispatchRecord[]> {
  const rows = await database.read<{ dispatch: DispatchRecord }>(sql`
    select ${DISPATCH_JSON} as dispatch
    from pipeline_dispatches d
      left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id
    where ${allOf(matchesDispatch(filter), after !== null && sql`d.id < ${after}`)}
    order by d.id desc limit ${limit}`);
  return rows.map(({ dispatch }) => dispatch);
}

/** Returns a dispatch with its log in order; null if there is none. */
export async function findDispatch(
  database: TenantDatabase,
  id: string,
): Promise<(DispatchRecord & { log: DispatchEventRecord[] }) | null> {
  const [row] = await database.read<{ dispatch: DispatchRecord; log: DispatchEventRecord[] }>(sql`
    select ${DISPATCH_JSON} as dispatch,
      (select json_agg(${LOG_JSON} order by l.position) from dispatch_events l
        where l.tenant_id = d.tenant_id and l.dispatch_id = d.id) as log
    from pipeline_dispatches d
      left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id
    where d.id = ${id}`);
  return row === undefined ? null : { ...row.dispatch, log: row.log };
}
