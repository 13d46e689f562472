import { type SQL, sql } from "drizzle-orm";
import { EXAMPLES_MAX } from "../../domain/delivery/batch.ts";

/**
 * A Batch of the domain as JSON. It reads the CTEs `matching` (the `count` of all that match) and `judged` (the `id` of
 * each that was looked at, and its `refusal` or null). `changed` counts what was changed.
 */
export function batchJson(changed: SQL): SQL {
  return sql`json_build_object('matched', (select count from matching), 'examined', (select count(*) from judged),
  'changed', ${changed},
  'refused', coalesce((select json_agg(json_build_object('reason', refusal, 'count', count, 'examples', examples)
    order by refusal) from (
      select refusal, count(*) as count, (array_agg(id order by id))[1:${sql.raw(String(EXAMPLES_MAX))}] as examples
      from judged where refusal is not null group by refusal) unchanged), '[]'),
  'nextAfter', case when (select count from matching) > (select count(*) from judged)
    then (select id from judged order by id desc limit 1) end)`;
}

/** The count of those that a dry run would change. */
export const WOULD_CHANGE: SQL = sql`(select count(*) from judged where refusal is null)`;
