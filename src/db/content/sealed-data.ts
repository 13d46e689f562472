import { type SQL, sql } from "drizzle-orm";
import type { DataKind } from "../../domain/data/kinds.ts";
import { isGiven } from "../../domain/data/kinds.ts";

/** The active version of a task whose named version takes no more golden or source data. */
export type SealedBy = { id: string; number: number };

/**
 * The task's active version as JSON, if a version is sealed or delivered and so takes no data of this kind; otherwise
 * null. Delivered means that its delivery was approved here, and that no rework has revoked that since. Data of a task that
 * was imported as delivered come after it.
 */
export function sealedBy(kind: DataKind, version: { tenantId: SQL; id: SQL }): SQL {
  if (!isGiven(kind)) return sql`null::json`;
  return sql`(select json_build_object('id', active.id, 'number', active.number)
    from task_versions own
    join tasks holder on holder.tenant_id = own.tenant_id and holder.id = own.task_id
    join task_versions active on active.tenant_id = own.tenant_id and active.id = holder.active_version_id
    where own.tenant_id = ${version.tenantId} and own.id = ${version.id}
      and (own.sealed_at is not null or exists (select from steps s
        where s.tenant_id = own.tenant_id and s.version_id = own.id and s.kind = 'delivery'
          and s.status = 'approved' and s.gate <> 'revoked' and s.event_seq > 1)))`;
}

/**
 * The statements that lock the task before `sealedBy` reads it in a later statement: nothing of a task changes without
 * its row, and a statement sees only what was committed before it began.
 */
export function lockAgainstSealing(kind: DataKind, isTask: SQL): SQL[] {
  return isGiven(kind) ? [sql`select from tasks t where ${isTask} for share of t`] : [];
}
