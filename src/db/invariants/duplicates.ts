import type { Invariant } from "./invariant.ts";

/** The condition that event `event` made its task a duplicate. */
const marks = (event: string) =>
  `${event}.to_status = 'duplicate' and ${event}.from_status is distinct from 'duplicate'`;

/**
 * The tasks that are duplicates now, with the event that made them so. Read as one set: in a database without statistics,
 * Postgres plans a lookup for each task as if there were only a few.
 */
const DUPLICATES = `
  select distinct on (e.tenant_id, e.task_id) e.tenant_id, e.task_id, e.feed_id, e.duplicate_of
  from step_events e
  join tasks t on t.tenant_id = e.tenant_id and t.id = e.task_id and t.current_step_id = e.step_id
  join steps s on s.tenant_id = e.tenant_id and s.id = e.step_id and s.status = 'duplicate'
  where ${marks("e")}
  order by e.tenant_id, e.task_id, e.seq desc`;

export const DUPLICATE_INVARIANTS: readonly Invariant[] = [
  {
    name: "duplicates-name-tasks-that-are-worked-on",
    description:
      "A duplicate names a task that is a duplicate too, such as itself, or that was a duplicate, rejected or archived when it was named.",
    // Only tasks that are duplicates now: what an older release accepted is in order again once they are changed. The
    // feed's order is that of the writes, because the writer of a duplicate holds the lock of its original.
    sql: `
      select d.tenant_id, d.task_id, d.duplicate_of
      from (${DUPLICATES}) d
      join tasks o on o.tenant_id = d.tenant_id and o.id = d.duplicate_of
      join steps s on s.tenant_id = o.tenant_id and s.id = o.current_step_id
      where s.status = 'duplicate'
        or (select p.to_status from step_events p
          where p.tenant_id = o.tenant_id and p.task_id = o.id and p.feed_id < d.feed_id
          order by p.seq desc limit 1) in ('duplicate', 'rejected')
        or (select p.type from step_events p
          where p.tenant_id = o.tenant_id and p.task_id = o.id and p.feed_id < d.feed_id
            and p.type in ('task_archived', 'task_restored')
          order by p.seq desc limit 1) = 'task_archived'`,
  },
  {
    name: "originals-are-named-by-duplicates",
    description:
      "An event names an original without making its task a duplicate, or a revert or a withdrawal makes a task a duplicate of another task than before.",
    // Reverts of the first registry version named no original.
    sql: `
      select e.tenant_id, e.task_id, e.seq from step_events e
      where e.duplicate_of is not null and not (${marks("e")})
      union all
      select e.tenant_id, e.task_id, e.seq from step_events e
      where e.type in ('bulk_reverted', 'review_withdrawn') and e.registry_version > 1 and ${marks("e")}
        and e.duplicate_of is distinct from (select p.duplicate_of from step_events p
          where p.tenant_id = e.tenant_id and p.task_id = e.task_id and p.step_id = e.step_id and p.seq < e.seq
            and ${marks("p")} order by p.seq desc limit 1)`,
  },
];
