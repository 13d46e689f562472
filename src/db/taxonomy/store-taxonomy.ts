import { sql } from "drizzle-orm";
import { PARENT_LEVEL, TAXONOMY_MAX, type TaxonomyEntry } from "../../domain/taxonomy.ts";
import { taxonomyFull, taxonomyLevelKept, wrongTaxonomyParent } from "../../domain/refusals.ts";
import { stateOf } from "../administration/admin-states.ts";
import {
  type Administered,
  type Administration,
  writeAdministration,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { ENTRY_MEMBERS, type TaxonomyRecord } from "./entry-sql.ts";

/** An entry after a change, and whether the change created it. */
export type StoredEntry = TaxonomyRecord & { isNew: boolean };

/**
 * Creates or changes an entry. Refuses to change its level, to put it below one that is not of the level above, and to
 * store more entries than a taxonomy can have. Returns no row if there is no such parent. Entries below an archived one
 * keep their own state.
 */
export function storeTaxonomyEntry(
  database: TenantDatabase,
  { code, label, level, parentCode, position, archived }: TaxonomyEntry & { archived: boolean },
  by: Administration,
): Promise<Administered<{ record: StoredEntry }>> {
  const { tenantId } = database;
  const keepsLevel = sql`not exists (select from taxonomy o
    where o.tenant_id = ${tenantId} and o.code = ${code} and o.level <> ${level})`;
  const parentLevel = sql`(select p.level from taxonomy p
    where p.tenant_id = ${tenantId} and p.code = ${parentCode}::text)`;
  // Null if there is no such parent.
  const fitsParent =
    parentCode === null ? sql`true` : sql`(${parentLevel} = ${PARENT_LEVEL[level]}::text)`;
  const hasRoom = sql`(exists (select from was)
    or (select count(*) from taxonomy o where o.tenant_id = ${tenantId}) < ${TAXONOMY_MAX}::integer)`;
  return writeAdministration(database, by, {
    subject: "taxonomy",
    before: sql`
  select ${stateOf("taxonomy", "x")} as state, x.archived_at from taxonomy x
  where x.tenant_id = ${tenantId} and x.code = ${code}`,
    change: sql`
  insert into taxonomy as x (tenant_id, code, label, level, parent_code, position, archived_at)
  select ${tenantId}::uuid, ${code}::text, ${label}::text, ${level}::text, ${parentCode}::text, ${position}::integer,
    case when ${archived}::boolean then now() end
  where ${keepsLevel} and ${fitsParent} and ${hasRoom}
  on conflict (tenant_id, code) do update set label = excluded.label, parent_code = excluded.parent_code,
    position = excluded.position,
    archived_at = case when excluded.archived_at is not null then coalesce(x.archived_at, excluded.archived_at) end,
    updated_at = case when (x.label, x.parent_code, x.position, x.archived_at is null) is distinct from
        (excluded.label, excluded.parent_code, excluded.position, excluded.archived_at is null)
      then now() else x.updated_at end
  returning x.code as subject, ${stateOf("taxonomy", "x")} as state, x.archived_at,
    json_build_object(${ENTRY_MEMBERS}, 'archived', x.archived_at is not null or exists (
        select from taxonomy p left join taxonomy g on g.tenant_id = p.tenant_id and g.code = p.parent_code
        where p.tenant_id = x.tenant_id and p.code = x.parent_code
          and coalesce(p.archived_at, g.archived_at) is not null),
      'isNew', not exists (select from was)) as record`,
    type: sql`case when was.state is null then 'taxonomy_created'
      when was.archived_at is null and changed.archived_at is not null then 'taxonomy_archived'
      when was.archived_at is not null and changed.archived_at is null then 'taxonomy_restored'
      else 'taxonomy_changed' end`,
    refusals: [
      { when: sql`not ${keepsLevel}`, refusal: taxonomyLevelKept(code) },
      { when: sql`not ${fitsParent}`, refusal: wrongTaxonomyParent(PARENT_LEVEL[level]) },
      { when: sql`not ${hasRoom}`, refusal: taxonomyFull(TAXONOMY_MAX) },
    ],
    result: sql`changed.record`,
    columns: sql`record`,
  });
}
