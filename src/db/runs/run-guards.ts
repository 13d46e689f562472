import { type SQL, sql } from "drizzle-orm";
import type { RunState } from "../../domain/lifecycle/statuses.ts";
import type { Bound } from "../connection/prepared.ts";

/** The state of a run that a decision is based on. The writer applies the decision only if the state is unchanged. */
export interface GuardedRun {
  id: string;
  state: RunState;
  attempt: number;
  /** The run is ended because its deadline passed. A report that has renewed the deadline since then wins. */
  isOverdue?: boolean;
}

/**
 * Locks runs in id order, after the locks of their tasks, so that the next statement reads their final state. Claims
 * skip locked runs.
 */
export function lockRuns(tenantId: Bound<string>, foundRuns: Bound<string>): SQL {
  return sql`select from worker_runs w
    where w.tenant_id = ${tenantId}::uuid
      and w.id in (select id from json_to_recordset(${foundRuns}) as f(id uuid))
    order by w.id for no key update of w`;
}

/**
 * The condition, with a leading AND, that the run of the task t is unchanged. The changed runs are found once for the
 * statement: a condition per task would search them once for each task.
 */
export function hasUnchangedRun(tenantId: Bound<string>, foundRuns: Bound<string>): SQL {
  return sql`and t.id not in (
    select f.task_id
    from json_to_recordset(${foundRuns}) as f(
        task_id uuid, id uuid, state text, attempt integer, is_overdue boolean)
      left join worker_runs w on w.tenant_id = ${tenantId}::uuid and w.id = f.id and ${IS_UNCHANGED}
    where w.id is null)`;
}

/** The condition that the run w still has the state of the row f. */
export const IS_UNCHANGED: SQL = sql`w.state = f.state and w.attempt = f.attempt
  and (not f.is_overdue or w.deadline_at < now())`;

/** Returns a run as a row of the statement's input. */
export function guardRow({ id, state, attempt, isOverdue = false }: GuardedRun) {
  return { id, state, attempt, is_overdue: isOverdue };
}

/** How long a run of this type may take until its next report: the pipeline's setting, by default an hour. */
export function runAllowance(type: SQL): SQL {
  return sql`make_interval(secs => coalesce(
    (select p.run_deadline_seconds from pipelines p where p.name = lower(${type})), 3600))`;
}
