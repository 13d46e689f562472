import { sql } from "drizzle-orm";
import type { TaxonomyEntry } from "../../domain/taxonomy.ts";
import { stateOf } from "../administration/admin-states.ts";
import {
  type Administered,
  type Administration,
  administer,
  insertAdminEvents,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";

/** What an installation did. */
export interface Installation {
  /** How many entries it created. */
  created: number;
}

/**
 * Adds entries to the taxonomy of a demo, each with an event, in one statement. Codes that exist stay as they are. Of a
 * domain in which a code exists at another level, nothing is added. Returns no row if the tenant is not a demo.
 */
export function addToTaxonomy(
  database: TenantDatabase,
  entries: readonly TaxonomyEntry[],
  by: Administration,
): Promise<Administered<{ installation: Installation | null }>> {
  const { tenantId } = database;
  const { operation } = by;
  const rows = JSON.stringify(withDomains(entries));
  return administer(database, by, [
    sql`
with given as materialized (
  select * from json_to_recordset(${rows}) as g(code text, label text, level text, "parentCode" text, position integer,
    domain text)
),
added as (
  insert into taxonomy as x (tenant_id, code, label, level, parent_code, position)
  select ${tenantId}::uuid, g.code, g.label, g.level, g."parentCode", g.position from given g
  where tenant_kind() = 'demo' and not exists (select from given o
    join taxonomy t on t.tenant_id = ${tenantId}::uuid and t.code = o.code
    where o.domain = g.domain and t.level <> o.level)
  on conflict (tenant_id, code) do nothing
  returning x.code, ${stateOf("taxonomy", "x")} as state
),
recorded as (
  ${insertAdminEvents(tenantId, by, {
    subject: "taxonomy",
    rows: sql`select 'taxonomy_created', added.code, jsonb_build_object('before', null, 'after', added.state)
      from added join given using (code) order by given.domain, added.code`,
  })}
),
done as (
  select json_build_object('created', (select count(*) from added)) as installation where tenant_kind() = 'demo'
),
${keepOrDrop({ tenantId, operation }, { from: sql`done`, result: sql`done.installation` })}
select done.installation from (select) call left join done on true`,
  ]);
}

/** Adds to each entry the code of its domain. Every entry follows its parent. */
function withDomains(entries: readonly TaxonomyEntry[]): (TaxonomyEntry & { domain: string })[] {
  const domains = new Map<string, string>();
  return entries.map((entry) => {
    const { code, parentCode } = entry;
    const domain = parentCode === null ? code : (domains.get(parentCode) ?? parentCode);
    domains.set(code, domain);
    return { ...entry, domain };
  });
}
