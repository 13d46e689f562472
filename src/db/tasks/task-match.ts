import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import { isUuid } from "../sql/uuid.ts";
import { idOfExternalId } from "./external-ids.ts";

/** The condition that a column holds the id of the named task. */
export function isOfTask(taskId: SQL, ref: TaskRef): SQL {
  return sql`${taskId} = (select t.id from tasks t where ${isTask(ref)})`;
}

/** The condition that the alias t is the named task. It can use an index. */
export function isTask(ref: TaskRef): SQL {
  if ("externalId" in ref) return sql`t.id = ${idOfExternalId(ref.externalId)}`;
  return isUuid(ref.id) ? sql`t.id = ${ref.id}` : sql`false`;
}
