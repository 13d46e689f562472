import type { Measured, Sample } from "./measure.ts";
import type { Environment } from "./environment.ts";

/** One row of the budget table, and how to measure it. */
export interface Row {
  /** In kebab case; `--only` selects rows by it. */
  name: string;
  /** What is measured, and against what. */
  about: string;
  measure: (environment: Environment) => Promise<Finding[]>;
}

/** The result of one case of a row. */
export interface Finding {
  /** The case, if the row has several. */
  about: string;
  unit: "ms" | "ms per task" | "calls/s" | "round trips" | "MiB";
  figure: Sample;
  baseline: Sample;
  /** Figure / baseline for a budget `atMost`, baseline / figure for a budget `atLeast`. */
  ratio: number;
  budget: Budget;
}

export type Budget = { atMost: number } | { atLeast: number };

/** Returns a finding that passes if the figure is at most `times` its baseline. */
export function atMost(
  times: number,
  about: string,
  measured: Measured,
  unit: Finding["unit"] = "ms",
): Finding {
  return { about, unit, ...measured, budget: { atMost: times } };
}

/** Returns a finding that passes if the baseline takes at least `times` as long as the figure. */
export function atLeastTimesFaster(
  times: number,
  about: string,
  measured: Measured,
  unit: Finding["unit"] = "ms",
): Finding {
  return { about, unit, ...measured, ratio: 1 / measured.ratio, budget: { atLeast: times } };
}

export function isMet({ ratio, budget }: Finding): boolean {
  return "atMost" in budget ? ratio <= budget.atMost : ratio >= budget.atLeast;
}
