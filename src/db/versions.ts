import { sql } from "drizzle-orm";
import type { TaskContent } from "../domain/lifecycle/decision.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import type { TenantDatabase } from "./client.ts";
import { isTask } from "./task-match.ts";

/** A version as every list shows it. */
export interface VersionRecord {
  id: string;
  taskId: string;
  number: number;
  contentHash: string;
  currentStepId: string;
  reason: string | null;
  createdBy: string;
  createdAt: string;
  /** null for the active version. */
  sealedAt: string | null;
}

/** The members of a VersionRecord, for json_build_object, from the alias v. */
const VERSION_MEMBERS = sql`'id', v.id, 'taskId', v.task_id, 'number', v.number, 'contentHash', v.content_hash,
  'currentStepId', v.current_step_id, 'reason', v.reason, 'createdBy', v.created_by,
  'createdAt', iso(v.created_at), 'sealedAt', iso(v.sealed_at)`;

/** A page of a task's versions by number, without their contents; null where there is no such task. */
export async function listVersions(
  database: TenantDatabase,
  task: TaskRef,
  { after, limit }: { after: number; limit: number },
): Promise<VersionRecord[] | null> {
  const [row] = await database.read<{ versions: VersionRecord[] }>(sql`
    select coalesce((
      select json_agg(json_build_object(${VERSION_MEMBERS}) order by v.number)
      from (select * from task_versions p where p.tenant_id = t.tenant_id and p.task_id = t.id
        and p.number > ${after} order by p.number limit ${limit}) v), '[]') as versions
    from tasks t where ${isTask(task)}`);
  return row?.versions ?? null;
}

/** One version with its content; null where there is none. */
export async function findVersion(
  database: TenantDatabase,
  task: TaskRef,
  number: number,
): Promise<(VersionRecord & { content: TaskContent }) | null> {
  const [row] = await database.read<{ version: VersionRecord & { content: TaskContent } }>(sql`
    select json_build_object(${VERSION_MEMBERS}, 'content', v.content) as version
    from tasks t join task_versions v on v.tenant_id = t.tenant_id and v.task_id = t.id
    where ${isTask(task)} and v.number = ${number}`);
  return row?.version ?? null;
}
