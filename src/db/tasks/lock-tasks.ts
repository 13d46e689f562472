import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "../connection/prepared.ts";

/**
 * Locks the tasks that the rows of a JSON array name in `task_id`. Every lock of several tasks is taken in id order, so
 * that two calls cannot deadlock.
 */
export function lockTasks(tenantId: Bound<string>, rows: Bound<string>): SQL {
  return sql`select from tasks t
    where t.tenant_id = ${tenantId}::uuid
      and t.id in (select task_id from json_to_recordset(${rows}) as m(task_id uuid))
    order by t.id for no key update of t`;
}

/** Locks the tasks of moves, and the originals that those of them name that make a task a duplicate. */
export function lockMoved(tenantId: Bound<string>, moves: Bound<string>): SQL {
  return sql`select from tasks t
    where t.tenant_id = ${tenantId}::uuid
      and t.id in (select task_id from json_to_recordset(${moves}) as m(task_id uuid)
        union all select duplicate_of from json_to_recordset(${moves}) as m(duplicate_of uuid))
    order by t.id for no key update of t`;
}
