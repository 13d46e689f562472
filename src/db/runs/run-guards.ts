import { type SQL, sql } from "drizzle-orm";
import type { RunState } from "../../domain/lifecycle/statuses.ts";
import type { Bound } from "../connection/prepared.ts";

/** A run as it was found when something was decided about it. */
export interface GuardedRun {
  id: string;
  state: RunState;
  attempt: number;
  /** It was given up because of its deadline: a report that renewed that one wins. */
  isOverdue?: boolean;
}

/**
 * Locks runs in id order, after their tasks: what a statement behind this one reads of them is what they are. Who
 * claims runs waits for none that is locked.
 */
export function lockRuns(tenantId: Bound<string>, foundRuns: Bound<string>): SQL {
  return sql`select from worker_runs w
    where w.tenant_id = ${tenantId}::uuid
      and w.id in (select id from json_to_recordset(${foundRuns}) as f(id uuid))
    order by w.id for no key update of w`;
}

/**
 * Of the task t: that the run which its move was decided on is as it was found. Those that are not are found once,
 * beforehand: asked of each task they would be found as often as there are tasks.
 */
export function hasRunAsFound(tenantId: Bound<string>, foundRuns: Bound<string>): SQL {
  return sql`and t.id not in (
    select f.task_id
    from json_to_recordset(${foundRuns}) as f(
        task_id uuid, id uuid, state text, attempt integer, is_overdue boolean)
      left join worker_runs w on w.tenant_id = ${tenantId}::uuid and w.id = f.id and ${isAsFound}
    where w.id is null)`;
}

/** Of the run w: that it is as the row f says. */
export const isAsFound: SQL = sql`w.state = f.state and w.attempt = f.attempt
  and (not f.is_overdue or w.deadline_at < now())`;

/** A run as a row of the statement's input. */
export function foundRow({ id, state, attempt, isOverdue = false }: GuardedRun) {
  return { id, state, attempt, is_overdue: isOverdue };
}

/** How long a run of this type may go without a report: the pipeline's setting, else an hour. */
export function runAllowance(type: SQL): SQL {
  return sql`make_interval(secs => coalesce(
    (select p.run_deadline_seconds from pipelines p where p.name = lower(${type})), 3600))`;
}
