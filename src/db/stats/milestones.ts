import { type SQL, sql } from "drizzle-orm";
import { STEP_KINDS } from "../../domain/lifecycle/statuses.ts";
import type { Window } from "../../domain/stats/window.ts";
import { allOf } from "../sql/conditions.ts";
import { MILESTONE } from "../schema/milestone-index.ts";

/** What statistics of events are of. */
export interface StatsScope {
  window: Window;
  /** Only of tasks with this code. */
  taxonomyCode: string | undefined;
}

/** The CTE `milestone`: the events of the window that are counted. */
export function milestonesOf({ window, taxonomyCode }: StatsScope): SQL {
  return sql`milestone as not materialized (
  select tenant_id, at, task_id, seq, step_id, type, from_status, to_status, from_gate, to_gate from step_events
  where (${sql.raw(MILESTONE)}) and ${isIn(window, sql`at`)} and ${isOfTaxonomy(taxonomyCode)}
)`;
}

/**
 * The CTE `begun`: when the newest of the milestones begin that are looked at, and whether there are older ones in the
 * window. Nothing is told of the time before.
 */
export function beginningOf(
  { window }: StatsScope,
  { condition, max }: { condition: SQL; max: number },
): SQL {
  return sql`begun as materialized (
  select coalesce(max(at), ${window.from}::timestamptz) as at, count(*) > 0 as is_cut from (
    select at from step_events where (${sql.raw(MILESTONE)}) and ${isIn(window, sql`at`)} and ${condition}
    order by at desc offset ${max}::integer limit 1
  ) older
)`;
}

/** The row's task has the code, if one was asked for. */
export function isOfTaxonomy(code: string | undefined): SQL {
  return allOf(
    code !== undefined && sql`task_id in (select id from tasks where taxonomy_code = ${code})`,
  );
}

/** The row's time is in the window. */
export function isIn({ from, to }: Window, time: SQL): SQL {
  return sql`(${time} >= ${from}::timestamptz and ${time} < ${endOf(to)})`;
}

/**
 * No revert took the milestone of the alias e back, whenever that was: it would undo the event before it. One look for
 * each: a join would be planned for as few reverts as there were when they were last counted. To be asked last, and
 * within a `case`: beside an OR it is planned as two scans that look up rows.
 */
export const STANDS = sql`not exists (
    select from step_events u
    where u.tenant_id = e.tenant_id and u.task_id = e.task_id and u.seq = e.seq + 1 and u.type = 'bulk_reverted'
    offset 0
  )`;

/** The milestone of the alias e brought its step from one status to another, and not back. */
export const IS_MOVE = sql`e.type in ('step_transitioned', 'bulk_transitioned')`;

/**
 * The step at which the task stood before the milestone of the alias e, and when it was opened: an event that opens a step
 * leaves the one that was opened before it. By the alias p; one look for each, a few events back.
 */
export const STOOD_AT = sql`cross join lateral (
    select o.step_id, o.at as opened_at from step_events o
    where o.tenant_id = e.tenant_id and o.task_id = e.task_id and o.seq < e.seq and o.from_status is null
    order by o.seq desc limit 1
  ) p`;

/** The kind of the step that the milestone of the alias e is of, by the alias s: one look for each, in the index alone. */
export const OF_STEP = sql`cross join lateral (
    select kind from steps where tenant_id = e.tenant_id and task_id = e.task_id and id = e.step_id limit 1
  ) s`;

/** The step of the alias s has come to an end of the task's way. */
export const IS_ENDED = sql`(s.status in ('rejected', 'duplicate') or (s.kind = 'delivery' and s.status = 'approved'))`;

/** The window as it is told. */
export function windowColumns({ window }: StatsScope): SQL {
  return sql`iso(${window.from}::timestamptz) as "from", ${windowEndColumn(window)}`;
}

export function windowEndColumn({ to }: Window): SQL {
  return sql`iso(${endOf(to)}) as "to"`;
}

/** Now is the database's, as the events' times are. */
function endOf(to: string | null): SQL {
  return to === null ? sql`now()` : sql`${to}::timestamptz`;
}

/** Every kind of step, by the alias stage, with its place in the order of stages. */
export const STAGES = sql.raw(
  `unnest(array[${STEP_KINDS.map((kind) => `'${kind}'`).join(", ")}]) with ordinality stage(kind, place)`,
);
