import { type SQL, sql } from "drizzle-orm";

/** Values as the list of an IN, each a parameter of its own. */
export function listed(values: readonly string[]): SQL {
  return sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  );
}
