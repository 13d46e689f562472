import type { Chance } from "./chance.ts";
import type { TestApi } from "./api.ts";

const HOUR_SECONDS = 3600;

/**
 * Spreads the histories of tasks over the past days: each starts at its own time and continues at its own pace, in
 * whole seconds. This breaks the hash chains but no other invariant, and only the superuser can do it.
 */
export async function spreadOverDays(
  { database }: TestApi,
  taskIds: readonly string[],
  { chance, days }: { chance: Chance; days: number },
): Promise<void> {
  const spreads = taskIds.map((id) => {
    const begin = 2 * HOUR_SECONDS + chance.below(days * 24 * HOUR_SECONDS);
    return { id, begin, pace: 1 + chance.below(2 * HOUR_SECONDS) };
  });
  await database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    {
      text: `with given as (select * from json_to_recordset($1) as g(id uuid, begin integer, pace integer)),
        -- Each ends at least an hour ago.
        placed as (
          select g.id, e.seq, date_trunc('second', now()) - make_interval(secs => g.begin)
            + make_interval(secs => least(g.pace, (g.begin - 3600.0) / t.event_seq)::integer * e.seq) as at
          from given g join tasks t on t.id = g.id join step_events e on e.task_id = g.id
        )
        update step_events e set at = p.at from placed p where e.task_id = p.id and e.seq = p.seq`,
      values: [JSON.stringify(spreads)],
    },
    {
      text: `update tasks t set created_at = e.at from step_events e
        where e.task_id = t.id and e.seq = 1 and t.id = any ($1::uuid[])`,
      values: [taskIds],
    },
    {
      text: `update reviews r set created_at = e.at from step_events e
        where e.task_id = r.task_id and e.type = 'review_recorded' and r.task_id = any ($1::uuid[])
          and (e.payload::json #>> '{review,id}')::uuid = r.id`,
      values: [taskIds],
    },
  ]);
}
