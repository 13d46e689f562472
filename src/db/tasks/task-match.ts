import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import { isUuid } from "../sql/uuid.ts";

/** The condition that the task of alias `t` is the one that a call names; it goes through an index. */
export function isTask(ref: TaskRef): SQL {
  if ("externalId" in ref) return sql`t.external_id = ${ref.externalId}`;
  return isUuid(ref.id) ? sql`t.id = ${ref.id}` : sql`false`;
}
