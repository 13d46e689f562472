import { type SQL, sql } from "drizzle-orm";
import { STEP_KINDS } from "../../domain/lifecycle/statuses.ts";
import type { Window } from "../../domain/stats/window.ts";
import { allOf } from "../sql/conditions.ts";
import { MILESTONE } from "../schema/milestone-index.ts";

/** Selects the events that a statistics query counts. */
export interface StatsScope {
  window: Window;
  /** Only tasks with this taxonomy code. */
  taxonomyCode: string | undefined;
}

/** Returns the CTE `milestone`: the counted events of the window. */
export function milestonesOf({ window, taxonomyCode }: StatsScope): SQL {
  return sql`milestone as not materialized (
  select tenant_id, at, task_id, seq, step_id, type, from_status, to_status, from_gate, to_gate from step_events
  where (${sql.raw(MILESTONE)}) and ${isIn(window, sql`at`)} and ${isOfTaxonomy(taxonomyCode)}
)`;
}

/**
 * Returns the CTE `cutoff`, which limits a query to the newest `max` of the milestones that match `condition`. `at` is
 * the time of the newest one that is left out, or the start of the window; `is_cut` says whether any is left out.
 */
export function cutoffOf(
  { window }: StatsScope,
  { condition, max }: { condition: SQL; max: number },
): SQL {
  return sql`cutoff as materialized (
  select coalesce(max(at), ${window.from}::timestamptz) as at, count(*) > 0 as is_cut from (
    select at from step_events where (${sql.raw(MILESTONE)}) and ${isIn(window, sql`at`)} and ${condition}
    order by at desc offset ${max}::integer limit 1
  ) older
)`;
}

/** Returns the condition that the row's task has the taxonomy code; true if no code is given. */
export function isOfTaxonomy(code: string | undefined): SQL {
  return allOf(
    code !== undefined && sql`task_id in (select id from tasks where taxonomy_code = ${code})`,
  );
}

/** Returns the condition that a time is in the window. */
export function isIn({ from, to }: Window, time: SQL): SQL {
  return sql`(${time} >= ${from}::timestamptz and ${time} < ${endOf(to)})`;
}

/**
 * The condition that the milestone of alias e has not been reverted, inside or outside the window. A revert undoes the
 * event right before it, and so does the withdrawal of a review that came with a move. This is one lookup per row, because Postgres would plan a join for the few reverts that its
 * statistics know. Use it last and inside a CASE: next to an OR, Postgres plans two scans that fetch table rows.
 */
export const NOT_REVERTED = sql`not exists (
    select from step_events u
    where u.tenant_id = e.tenant_id and u.task_id = e.task_id and u.seq = e.seq + 1
      and u.type in ('bulk_reverted', 'review_withdrawn')
    offset 0
  )`;

/** The condition that the milestone of alias e moved its step to another status, and is not a revert. */
export const IS_MOVE = sql`e.type in ('step_transitioned', 'bulk_transitioned')`;

/**
 * Joins, as p, the step that the task was at before the milestone of alias e, and when it was opened. It is the step
 * that was opened last before the milestone. One lookup per row, a few events back.
 */
export const PREVIOUS_STEP = sql`cross join lateral (
    select o.step_id, o.at as opened_at from step_events o
    where o.tenant_id = e.tenant_id and o.task_id = e.task_id and o.seq < e.seq and o.from_status is null
    order by o.seq desc limit 1
  ) p`;

/** Joins, as s, the kind of the step of the milestone of alias e. One lookup per row, which reads only the index. */
export const OF_STEP = sql`cross join lateral (
    select kind from steps where tenant_id = e.tenant_id and task_id = e.task_id and id = e.step_id limit 1
  ) s`;

/** The condition that the step of alias s has ended its task: rejected, duplicate or delivered. */
export const IS_ENDED = sql`(s.status in ('rejected', 'duplicate') or (s.kind = 'delivery' and s.status = 'approved'))`;

/** Returns the columns that report the window. */
export function windowColumns({ window }: StatsScope): SQL {
  return sql`iso(${window.from}::timestamptz) as "from", ${windowEndColumn(window)}`;
}

export function windowEndColumn({ to }: Window): SQL {
  return sql`iso(${endOf(to)}) as "to"`;
}

/** Returns the end of the window. Now is the tenant's present time, which also dates the events. */
function endOf(to: string | null): SQL {
  return to === null ? sql`tenant_now()` : sql`${to}::timestamptz`;
}

/** Every kind of step, as `stage`, with its place in the order of stages. */
export const STAGES = sql.raw(
  `unnest(array[${STEP_KINDS.map((kind) => `'${kind}'`).join(", ")}]) with ordinality stage(kind, place)`,
);
