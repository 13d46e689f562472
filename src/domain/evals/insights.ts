import { isRunEnded, RUN_TRANSITIONS } from "../lifecycle/runs.ts";
import type { RunState } from "../lifecycle/statuses.ts";
import { succeed, invalidTransition, type Outcome, refuse, type Refusal } from "../refusals.ts";

/** The state of an insight, as decisions see it. */
export interface InsightSnapshot {
  id: string;
  status: RunState;
  output: unknown;
  usage: Readonly<Record<string, unknown>> | null;
}

/** A report on an inference job: its status, its output, and its usage. */
export interface InsightReport {
  status?: RunState | undefined;
  output?: unknown;
  usage?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Returns the insight after a report. Reporting the current status again is allowed. After the job has ended, a report
 * can still add the output or the usage if it is missing, but cannot replace it.
 */
export function decideInsight(
  insight: InsightSnapshot,
  report: InsightReport,
): Outcome<InsightSnapshot> {
  const { status: from } = insight;
  const { status: to = from, output = insight.output, usage = insight.usage } = report;
  const allowed = RUN_TRANSITIONS[from];
  if (to !== from && !allowed.includes(to)) {
    return refuse(invalidTransition({ subject: "an insight", from, to, allowed }));
  }
  const replacesReport =
    (report.output !== undefined && insight.output !== null) ||
    (report.usage !== undefined && insight.usage !== null);
  if (isRunEnded(from) && replacesReport) return refuse(alreadyReported(insight));
  return succeed({ id: insight.id, status: to, output, usage });
}

function alreadyReported({ id, status }: InsightSnapshot): Refusal {
  return {
    code: "conflict",
    detail: `The insight has ended as ${status}. Its output and usage cannot be replaced.`,
    existing: { id },
  };
}
