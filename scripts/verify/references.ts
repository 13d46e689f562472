import type { Client } from "pg";

/** Rows that reference a row that does not exist. */
export interface BrokenReference {
  table: string;
  constraint: string;
  rows: number;
}

export interface ReferenceReport {
  constraints: number;
  broken: BrokenReference[];
}

/**
 * Checks every foreign key by its rows. Postgres does so only when rows are written, and not at all while triggers are
 * disabled. Reads in the caller's transaction.
 */
export async function verifyReferences(client: Client): Promise<ReferenceReport> {
  const { rows: keys } = await client.query<ForeignKey>({
    name: "foreign-keys",
    text: FOREIGN_KEYS,
  });
  const report: ReferenceReport = { constraints: keys.length, broken: [] };
  for (const { child, parent, constraint, columns, parent_columns: parentColumns } of keys) {
    const matches = columns.map((column, index) => `p.${parentColumns[index]} = c.${column}`);
    const isSet = columns.map((column) => `c.${column} is not null`);
    const { rows } = await client.query<{ rows: number }>({
      name: constraint,
      text: `select count(*)::integer as rows from ${child} c
        where ${isSet.join(" and ")} and not exists (select from ${parent} p where ${matches.join(" and ")})`,
    });
    const broken = rows[0]?.rows ?? 0;
    if (broken > 0) report.broken.push({ table: child, constraint, rows: broken });
  }
  return report;
}

interface ForeignKey {
  child: string;
  parent: string;
  constraint: string;
  columns: string[];
  parent_columns: string[];
}

const namesOf = (relation: string, numbers: string) => `array(
    select quote_ident(a.attname) from unnest(${numbers}) with ordinality as n(number, position)
      join pg_attribute a on a.attrelid = ${relation} and a.attnum = n.number
    order by n.position)`;

const FOREIGN_KEYS = `
  select conrelid::regclass::text as child, confrelid::regclass::text as parent, conname as constraint,
    ${namesOf("conrelid", "conkey")} as columns, ${namesOf("confrelid", "confkey")} as parent_columns
  from pg_constraint
  where contype = 'f' and connamespace = 'public'::regnamespace
  order by conrelid::regclass::text, conname`;
