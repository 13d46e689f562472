import { type SQL, sql } from "drizzle-orm";

/**
 * Joins the conditions that are present by AND; TRUE if there are none. An optional condition is spelled
 * `value !== undefined && sql`…``. One that contains OR needs its own parentheses.
 */
export function allOf(...conditions: readonly (SQL | false)[]): SQL {
  const present = conditions.filter((condition) => condition !== false);
  return present.length === 0 ? sql`true` : sql.join(present, sql` and `);
}

/**
 * The filter of a list: one row for each field. A row takes the value of its field and returns the condition for it.
 * The filter's type is derived from the table, so that a new filter is a new row here and a new parameter in the
 * contract of the route, which does not compile without it (`FilterQuery`).
 */
export type FilterTable<Condition = SQL> = Readonly<Record<string, (value: never) => Condition>>;

/** What a caller can ask of a table: any of its fields. A row must match every field that is given. */
export type FilterOf<Table extends FilterTable<unknown>> = {
  readonly [Field in keyof Table]?: Parameters<Table[Field]>[0] | undefined;
};

/** The conditions of the fields that are given, in the order of the table. */
export function conditionsOf<Condition, Table extends FilterTable<Condition>>(
  table: Table & FilterTable<Condition>,
  filter: FilterOf<Table>,
): Condition[] {
  return Object.entries<(value: never) => Condition>(table).flatMap(([field, conditionFor]) => {
    const value = filter[field];
    return value === undefined ? [] : [conditionFor(value)];
  });
}

/** The one condition of a filter: all of its conditions, or TRUE if no field is given. */
export function matches<Table extends FilterTable>(table: Table, filter: FilterOf<Table>): SQL {
  return allOf(...conditionsOf<SQL, Table>(table, filter));
}
