import { cpus } from "node:os";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Budget, type Finding, isMet, type Row } from "./row.ts";

/** The findings of one row. */
export interface Result {
  row: Row;
  findings: Finding[];
}

/** Returns the findings of one row as lines of the table. */
export function renderResult({ row, findings }: Result): string {
  const lines = findings.map((finding) =>
    [
      finding.about.padEnd(46),
      spread(finding.figure).padStart(26),
      spread(finding.baseline).padStart(26),
      finding.unit.padEnd(12),
      finding.ratio.toFixed(2).padStart(8),
      budgetText(finding.budget).padStart(10),
      isMet(finding) ? "pass" : "MISS",
    ].join("  "),
  );
  return [`${row.name}: ${row.about}`, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** The header of the table. */
export const HEADING = `  ${[
  "".padEnd(46),
  "figure (middle half)".padStart(26),
  "baseline (middle half)".padStart(26),
  "".padEnd(12),
  "ratio".padStart(8),
  "budget".padStart(10),
].join("  ")}`;

/** Writes the results as JSON. */
export async function writeResults(
  path: string,
  scale: number,
  results: readonly Result[],
): Promise<void> {
  const content = {
    at: new Date().toISOString(),
    scale,
    node: process.version,
    cpus: cpus().map(({ model }) => model),
    rows: results.map(({ row: { name, about }, findings }) => ({
      name,
      about,
      findings: findings.map((finding) => ({ ...finding, isMet: isMet(finding) })),
    })),
  };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
}

function spread({ median, low, high }: Finding["figure"]): string {
  return `${short(median)} (${short(low)} to ${short(high)})`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function budgetText(budget: Budget): string {
  return "atMost" in budget ? `<= ${budget.atMost}` : `>= ${budget.atLeast}`;
}
