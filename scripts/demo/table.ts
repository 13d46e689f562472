import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import type { LabelCounts } from "./herd.ts";

type Row = readonly (string | number)[];

/** Aligns rows into columns: words to the left, numbers and what stands over them to the right. */
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

/** Counts by label at several moments, side by side; labels that never occur are left out. */
export function countsTable(moments: readonly { name: string; counts: LabelCounts }[]): string {
  const labels = UNIFIED_STATUSES.filter((label) =>
    moments.some(({ counts }) => counts[label] !== undefined),
  );
  const total = (counts: LabelCounts) => Object.values(counts).reduce((sum, n) => sum + n, 0);
  return table([
    ["", ...moments.map(({ name }) => name)],
    ...labels.map((label) => [label, ...moments.map(({ counts }) => counts[label] ?? 0)]),
    ["all", ...moments.map(({ counts }) => total(counts))],
  ]);
}
