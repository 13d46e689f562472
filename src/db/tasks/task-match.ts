import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import { isUuid } from "../sql/uuid.ts";

/** The condition that a column of any table has the id of the task that a call names. */
export function isOfTask(taskId: SQL, ref: TaskRef): SQL {
  return sql`${taskId} = (select t.id from tasks t where ${isTask(ref)})`;
}

/** The condition that the task of alias `t` is the one that a call names; it goes through an index. */
export function isTask(ref: TaskRef): SQL {
  if ("externalId" in ref) return sql`t.external_id = ${ref.externalId}`;
  return isUuid(ref.id) ? sql`t.id = ${ref.id}` : sql`false`;
}
