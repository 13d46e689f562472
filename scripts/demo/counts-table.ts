import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { table } from "../import/table.ts";
import type { LabelCounts } from "./demo-tasks.ts";

/** Returns a table of the counts by label at several moments. Labels that never occur are left out. */
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
