import { type SQL, sql } from "drizzle-orm";
import type { TaxonomyLevel } from "../../domain/taxonomy.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { ENTRY_MEMBERS, type TaxonomyRecord } from "./entry-sql.ts";

/** An entry and its place in the tree. */
export interface ListedEntry {
  /** The number of tasks with this code that are not archived. Null if it was not asked for. */
  entry: TaxonomyRecord & { tasks: number | null };
  /** A key for each entry from the domain down to this one. Entries are ordered by it, as in a tree that is read downwards. */
  path: string[];
}

/** How many digits a position has in a path. */
const POSITION_DIGITS = 6;

const keyOf = (alias: SQL) =>
  sql`case when ${alias}.code is not null then lpad(${alias}.position::text, ${sql.raw(String(POSITION_DIGITS))}, '0') || ' ' || ${alias}.code end`;

/** Each entry x with the one above it, p, and the one above that, g. */
const WITH_ANCESTORS = sql`taxonomy x
  left join taxonomy p on p.tenant_id = x.tenant_id and p.code = x.parent_code
  left join taxonomy g on g.tenant_id = p.tenant_id and g.code = p.parent_code`;

const PATH = sql`array_remove(array[${keyOf(sql`g`)}, ${keyOf(sql`p`)}, ${keyOf(sql`x`)}], null) collate "C"`;

const IS_ARCHIVED = sql`coalesce(x.archived_at, p.archived_at, g.archived_at) is not null`;

const TAXONOMY_FILTERS = {
  /** A part of the code or of the label, in any case. */
  q: (needle: string) =>
    sql`(strpos(text_fold(x.code), text_fold(${needle})) > 0 or strpos(text_fold(x.label), text_fold(${needle})) > 0)`,
  level: (level: TaxonomyLevel) => sql`x.level = ${level}`,
  /** The entries directly below this one. */
  parentCode: (code: string) => sql`x.parent_code = ${code}`,
  /** true: the entries that are archived, or below an archived one; false: the others. */
  archived: (isArchived: boolean) => sql`${IS_ARCHIVED} = ${isArchived}::boolean`,
};

export type TaxonomyFilter = FilterOf<typeof TAXONOMY_FILTERS>;

interface Reading {
  /** Whether to count the tasks of each code. */
  withTasks: boolean;
}

const entryJson = ({
  withTasks,
}: Reading) => sql`json_build_object(${ENTRY_MEMBERS}, 'archived', ${IS_ARCHIVED},
  'tasks', ${withTasks ? TASKS_OF_CODE : sql`null`})`;

const TASKS_OF_CODE = sql`(select count(*) from tasks t
  where t.tenant_id = x.tenant_id and t.taxonomy_code = x.code and t.archived_at is null)`;

const isAfter = (path: readonly string[]) =>
  sql`${PATH} > array(select json_array_elements_text(${JSON.stringify(path)}))`;

/** Returns a page of the matching entries, in the order of the tree. `after` is the path of the entry before. */
export async function listTaxonomy(
  database: TenantDatabase,
  filter: TaxonomyFilter,
  { after, limit, withTasks }: Reading & { after: readonly string[] | null; limit: number },
): Promise<ListedEntry[]> {
  const condition = allOf(matches(TAXONOMY_FILTERS, filter), after !== null && isAfter(after));
  return database.read<ListedEntry>(sql`
    select ${entryJson({ withTasks })} as entry, ${PATH} as path
    from ${WITH_ANCESTORS} where ${condition} order by ${PATH} limit ${limit}`);
}

/** Returns a page of domains with everything below them, in the order of the tree. `after` is the path of a domain. */
export async function listTaxonomyTrees(
  database: TenantDatabase,
  { archived }: { archived: boolean },
  { after, limit, withTasks }: Reading & { after: readonly string[] | null; limit: number },
): Promise<ListedEntry[]> {
  // An archived entry can be below a domain that is not, so the archived part of the tree has all domains.
  const isListed = archived ? sql`true` : sql`not ${IS_ARCHIVED}`;
  const domains = allOf(sql`x.level = 'domain'`, isListed, after !== null && isAfter(after));
  return database.read<ListedEntry>(sql`
    with domains as materialized (
      select x.code from ${WITH_ANCESTORS} where ${domains} order by ${PATH} limit ${limit}
    )
    select ${entryJson({ withTasks })} as entry, ${PATH} as path
    from ${WITH_ANCESTORS}
    where coalesce(g.code, p.code, x.code) in (select code from domains) and ${isListed} order by ${PATH}`);
}
