import { type SQL, sql } from "drizzle-orm";
import type { TaskContent } from "../../domain/lifecycle/decision.ts";
import type { TenantDatabase } from "../connection/client.ts";
import type { Bound } from "../connection/prepared.ts";
import { idOfExternalId } from "../tasks/external-ids.ts";

/** A field in which a record differs from the task that has its external id. Values are cut to 200 characters. */
export interface TaskDifference {
  path: readonly string[];
  /** The task's present value, or null if it has none. */
  existing: string | null;
  /** The record's value, or null if it has none. */
  given: string | null;
}

/** A task that already has the external id of a record. */
export interface ExistingTask {
  externalId: string;
  id: string;
  differences: TaskDifference[];
}

/** The longest value that a difference shows, in characters. */
export const DIFFERENCE_LENGTH_MAX = 200;

/**
 * The tasks that have the external ids of `records`, as a JSON array of `ExistingTask`. A field differs if the record has
 * neither the value that the task was created with nor its present one. So an import can be repeated after an edit.
 * Priority and assignee belong to the work on a task and not to its content, so they are not compared.
 * @param records rows of external_id, title, taxonomy_code and content (jsonb), without null external ids.
 */
export function existingTasks(tenantId: Bound<string>, records: SQL): SQL {
  return sql`(
    select coalesce(json_agg(json_build_object('externalId', r.external_id, 'id', r.task_id, 'differences',
      coalesce(field.differences, '[]'))), '[]')
    -- OFFSET makes Postgres go from the records to their tasks. Without statistics, it would try all tasks of the tenant.
    from (select given.*, ${idOfExternalId(sql`given.external_id`)} as task_id from ${records} given offset 0) r
      cross join lateral (
        select t.title, t.taxonomy_code, e.payload, first.content as first, active.content as active
        from tasks t
          join step_events e on e.tenant_id = t.tenant_id and e.task_id = t.id and e.seq = 1
          join task_versions first on first.tenant_id = t.tenant_id and first.task_id = t.id and first.number = 1
          join task_versions active on active.tenant_id = t.tenant_id and active.id = t.active_version_id
        where t.tenant_id = ${tenantId}::uuid and t.id = r.task_id
        offset 0
      ) t
      cross join lateral (
        select json_agg(json_build_object('path', f.path, 'existing', left(f.present, ${DIFFERENCE_LENGTH_MAX}),
          'given', left(f.given, ${DIFFERENCE_LENGTH_MAX}))) as differences
        from (values
          ('["title"]'::json, r.title, t.payload::json ->> 'title', t.title),
          ('["taxonomyCode"]', r.taxonomy_code, t.payload::json ->> 'taxonomyCode', t.taxonomy_code),
          ('["content","brief"]', r.content ->> 'brief', t.first ->> 'brief', t.active ->> 'brief'),
          ('["content","instructions"]', r.content ->> 'instructions', t.first ->> 'instructions',
            t.active ->> 'instructions'),
          ('["content","metadata"]', coalesce(r.content -> 'metadata', '{}')::text,
            coalesce(t.first -> 'metadata', '{}')::text, coalesce(t.active -> 'metadata', '{}')::text)
        ) as f(path, given, created, present)
        where f.given is distinct from f.created and f.given is distinct from f.present
      ) field
  )`;
}

/** Finds the tasks that have the external ids of records, and how the records differ from them. */
export async function findExistingTasks(
  database: TenantDatabase,
  records: readonly {
    externalId: string;
    title: string;
    taxonomyCode: string | null;
    content: TaskContent;
  }[],
): Promise<ExistingTask[]> {
  const given = JSON.stringify(
    records.map(({ externalId, title, taxonomyCode, content }) => ({
      external_id: externalId,
      title,
      taxonomy_code: taxonomyCode,
      content,
    })),
  );
  const recordset = sql`json_to_recordset(${given}) as r(external_id text, title text, taxonomy_code text, content jsonb)`;
  const [row] = await database.read<{ existing: ExistingTask[] }>(
    sql`select ${existingTasks(database.tenantId, sql`(select * from ${recordset})`)} as existing`,
  );
  return row?.existing ?? [];
}
