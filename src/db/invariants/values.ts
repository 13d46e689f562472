/** Returns rows of constants as SQL, for `in (…)`. The constants are words of the domain's tables and numbers. */
export function valuesOf(rows: readonly (readonly (string | number)[])[]): string {
  const constants = (row: readonly (string | number)[]) =>
    row.map((value) => (typeof value === "number" ? value : `'${value}'`)).join(", ");
  return `values ${rows.map((row) => `(${constants(row)})`).join(", ")}`;
}
