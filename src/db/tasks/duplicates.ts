import { type SQL, sql } from "drizzle-orm";
import { ENDED_ORIGINALS, NAMED_BY_MAX } from "../../domain/lifecycle/duplicates.ts";
import type { Bound } from "../connection/prepared.ts";
import { listed } from "../sql/listed.ts";

// Which task a duplicate names is in its history only: in the event that made its current step a duplicate. A task that
// leaves the status names nothing any more. The index step_events_duplicate_of serves every query here.

/** The condition that event `event` made its task a duplicate. */
const marksDuplicate = (event: SQL) =>
  sql`${event}.to_status = 'duplicate' and ${event}.from_status is distinct from 'duplicate'`;

/** Selects the original that a task names, from the aliases t (task) and s (its current step). */
export const DUPLICATE_OF: SQL = sql`case when s.status = 'duplicate' then (
      select n.duplicate_of from step_events n
      where n.tenant_id = t.tenant_id and n.task_id = t.id and n.step_id = s.id and ${marksDuplicate(sql`n`)}
      order by n.seq desc limit 1) end`;

/**
 * FROM and WHERE of the events by which tasks are duplicates of `original` now, one for each: the alias e. Archived
 * duplicates are included, because they are duplicates again once they are restored. The comparison with the newest of
 * a task's own events is a subquery and not a join, which Postgres could plan over all events of the tenant.
 */
export function liveDuplicates(original: SQL): SQL {
  return sql`from step_events e
    join tasks d on d.tenant_id = e.tenant_id and d.id = e.task_id and d.current_step_id = e.step_id
    join steps x on x.tenant_id = d.tenant_id and x.id = d.current_step_id and x.status = 'duplicate'
  where e.duplicate_of = ${original}
    and e.seq = (select max(newest.seq) from step_events newest where newest.tenant_id = e.tenant_id
      and newest.task_id = e.task_id and ${marksDuplicate(sql`newest`)})`;
}

/** Selects the first duplicates of the tasks in `loaded` as JSON rows `taskId`, `id`: one more than refusals list. */
export const NAMED_TASKS: SQL = sql`coalesce((
    select json_agg(json_build_object('taskId', l.id, 'id', n.task_id) order by n.task_id)
    from loaded l, lateral (select e.task_id ${liveDuplicates(sql`l.id`)}
      order by e.task_id limit ${NAMED_BY_MAX + 1}) n), '[]')`;

/** Selects the Original that the task of event e named before e, as JSON; null if it named none. */
export const NAMED_BEFORE: SQL = sql`case when e.from_status = 'duplicate' then ${originalJson(
  sql`t.id = (select n.duplicate_of from step_events n
        where n.tenant_id = e.tenant_id and n.task_id = e.task_id and n.step_id = e.step_id and n.seq < e.seq
          and ${marksDuplicate(sql`n`)} order by n.seq desc limit 1)`,
)} end`;

/** Selects an Original as JSON; null if `condition` on the alias t finds no task. */
export function originalJson(condition: SQL): SQL {
  return sql`(select json_build_object('id', t.id, 'status', s.status, 'isArchived', t.archived_at is not null)
    from tasks t join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id where ${condition})`;
}

/**
 * The writer's condition that the task t can become a duplicate, as its move m says: no duplicate names it, and the task
 * that it names is worked on. It reads what was committed when the statement began, which was after `lockMoved` locked
 * both tasks. So no call that closes a ring with this one can be under way. The original's seq does not matter, and a
 * note on it disturbs no one.
 *
 * Both questions are scalar subqueries and not EXISTS, which Postgres could answer for all tasks of the tenant at once,
 * with a hash of everything that could be asked.
 */
export function mayBecomeDuplicate(tenantId: Bound<string>): SQL {
  return sql`and case when m.marks_duplicate then
      (select e.task_id ${liveDuplicates(sql`t.id`)} and e.tenant_id = ${tenantId}::uuid limit 1) is null
      and (m.duplicate_of is null or coalesce((
        select o.archived_at is null and x.status not in (${listed(ENDED_ORIGINALS)})
        from tasks o join steps x on x.tenant_id = o.tenant_id and x.id = o.current_step_id
        where o.tenant_id = ${tenantId}::uuid and o.id = m.duplicate_of), false))
    else true end`;
}
