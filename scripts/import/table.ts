type Row = readonly (string | number)[];

/** Aligns rows into columns. A column whose last cell is a number is aligned to the right, others to the left. */
export function table(rows: readonly Row[]): string {
  const columns = Array.from(rows[0] ?? [], (_, column) => {
    const cells = rows.map((row) => row[column] ?? "");
    return {
      width: Math.max(...cells.map((cell) => String(cell).length)),
      isNumeric: typeof cells.at(-1) === "number",
    };
  });
  return rows
    .map((row) => {
      const cells = columns.map(({ width, isNumeric }, column) => {
        const cell = String(row[column] ?? "");
        return isNumeric ? cell.padStart(width) : cell.padEnd(width);
      });
      return `  ${cells.join("   ").trimEnd()}`;
    })
    .join("\n");
}
