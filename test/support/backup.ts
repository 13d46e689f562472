import type { TestDatabase } from "./database.ts";

/** The tables of the service, in any order. */
const TABLES = "select tablename as name from pg_tables where schemaname = 'public'";

/** Keeps every row of every table, like a dump, and returns how to restore them. */
export async function backUp(database: TestDatabase): Promise<() => Promise<void>> {
  const names = (await database.query("superuser", TABLES)).map(({ name }) => String(name));
  const contents = await database.transaction(
    "superuser",
    names.map((name) => ({
      text: `select coalesce(jsonb_agg(t), '[]')::text as rows from ${name} t`,
    })),
  );
  return async () => {
    await database.transaction("superuser", [
      // No trigger and no foreign key is checked, as in a restore of data alone.
      { text: "set local session_replication_role = replica" },
      { text: `truncate ${names.join()}` },
      ...names.map((name, index) => ({
        text: `insert into ${name} select (jsonb_populate_recordset(null::${name}, $1::jsonb)).*`,
        values: [String(contents[index]?.[0]?.["rows"])],
      })),
    ]);
  };
}
