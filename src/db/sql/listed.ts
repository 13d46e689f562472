import { type SQL, sql } from "drizzle-orm";

/** The list of an IN: each value is its own parameter. */
export function listed(values: readonly string[]): SQL {
  return sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  );
}
