import { sql } from "drizzle-orm";
import type { LabelFacts } from "../../domain/status/resolve.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "./task-json.ts";
import { idsOfExternalIds } from "./external-ids.ts";
import { isTask } from "./task-match.ts";
import { isUuid } from "../sql/uuid.ts";

/** Returns a task as it is now; null if there is none. */
export async function findTask(database: TenantDatabase, ref: TaskRef): Promise<TaskRecord | null> {
  const [row] = await database.read<{ task: TaskRecord }>(sql`
    select json_build_object(${TASK_MEMBERS}) as task from tasks t ${TASK_JOINS} where ${isTask(ref)}`);
  return row?.task ?? null;
}

/** A task that was looked up, with the facts of its label. */
export interface TaskLookupRecord {
  id: string;
  externalId: string | null;
  title: string;
  facts: LabelFacts;
}

/** Returns the named tasks, each once and in no order. Archived tasks are included because the caller named them. */
export function lookUpTasks(
  database: TenantDatabase,
  refs: readonly TaskRef[],
): Promise<TaskLookupRecord[]> {
  const ids = refs.flatMap((ref) => ("id" in ref && isUuid(ref.id) ? [ref.id] : []));
  const externalIds = refs.flatMap((ref) => ("externalId" in ref ? [ref.externalId] : []));
  return database.read<TaskLookupRecord>(sql`
with wanted as materialized (
  select id from json_array_elements_text(${JSON.stringify(ids)}) as given(name), lateral (select name::uuid as id) named
  union
  select id from (${idsOfExternalIds(externalIds)}) external
)
select t.id, t.external_id as "externalId", t.title,
  json_build_object('kind', f.kind, 'status', f.status, 'gate', f.gate, 'heldGate', f.held_gate, 'reviewFailed', f.review_failed,
    'runningWorkers', f.running_workers, 'idle', f.idle) as facts
from wanted join tasks t on t.id = wanted.id join task_facts f on f.tenant_id = t.tenant_id and f.task_id = t.id`);
}
