import type { Measured, Sample } from "./measure.ts";
import type { Stage } from "./stage.ts";

/** One line of the budget tables: what it says, and how it is measured. */
export interface Row {
  /** In kebab case: what `--only` looks in. */
  name: string;
  /** What is measured against what. */
  about: string;
  measure: (stage: Stage) => Promise<Finding[]>;
}

/** What was found in one case of a row. */
export interface Finding {
  /** Which case, where a row has several. */
  about: string;
  unit: "ms" | "ms a task" | "calls/s" | "round trips";
  figure: Sample;
  baseline: Sample;
  /** Figure to baseline, or the reverse: as the budget says it. */
  ratio: number;
  budget: Budget;
}

export type Budget = { atMost: number } | { atLeast: number };

/** A figure that may be so many times its baseline. */
export function atMost(
  times: number,
  about: string,
  measured: Measured,
  unit: Finding["unit"] = "ms",
): Finding {
  return { about, unit, ...measured, budget: { atMost: times } };
}

/** A figure whose baseline takes at least so many times as long. */
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
