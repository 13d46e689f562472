import { type SQL, sql } from "drizzle-orm";

/**
 * Joins the conditions that are present with AND; TRUE if there are none. Write an optional condition as
 * `value !== undefined && sql`…``. A condition that contains OR needs its own parentheses.
 */
export function allOf(...conditions: readonly (SQL | false)[]): SQL {
  const present = conditions.filter((condition) => condition !== false);
  return present.length === 0 ? sql`true` : sql.join(present, sql` and `);
}

/**
 * The filters of a list, one row for each field. A row turns the value of its field into a condition. The type of the
 * filter is derived from the table, so a new filter is one row here and one parameter in the contract of the route,
 * which does not compile without it (`FilterQuery`).
 */
export type FilterTable<Condition = SQL> = Readonly<Record<string, (value: never) => Condition>>;

/** The filter that callers pass: any fields of the table. A row of the list must match every field that is set. */
export type FilterOf<Table extends FilterTable<unknown>> = {
  readonly [Field in keyof Table]?: Parameters<Table[Field]>[0] | undefined;
};

/** Returns the conditions of the fields that are set, in the order of the table. */
export function conditionsOf<Condition, Table extends FilterTable<Condition>>(
  table: Table & FilterTable<Condition>,
  filter: FilterOf<Table>,
): Condition[] {
  return Object.entries<(value: never) => Condition>(table).flatMap(([field, conditionFor]) => {
    const value = filter[field];
    return value === undefined ? [] : [conditionFor(value)];
  });
}

/** Returns the condition that a row matches the filter; TRUE if no field is set. */
export function matches<Table extends FilterTable>(table: Table, filter: FilterOf<Table>): SQL {
  return allOf(...conditionsOf<SQL, Table>(table, filter));
}
