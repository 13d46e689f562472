import { isRunEnded, RUN_TRANSITIONS } from "../lifecycle/runs.ts";
import type { RunState } from "../lifecycle/statuses.ts";
import { succeed, invalidTransition, type Outcome, refuse, type Refusal } from "../refusals.ts";

/** An insight as decisions look at it. */
export interface InsightSnapshot {
  id: string;
  status: RunState;
  output: unknown;
  usage: Readonly<Record<string, unknown>> | null;
}

/** What is told of an inference job: what it became, what it made, what it used. */
export interface InsightReport {
  status?: RunState | undefined;
  output?: unknown;
  usage?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The insight after a report. The same status again is no move. What a job that has ended left open may still be
 * told, its usage above all; what was told stays.
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
  const isRetold =
    (report.output !== undefined && insight.output !== null) ||
    (report.usage !== undefined && insight.usage !== null);
  if (isRunEnded(from) && isRetold) return refuse(endedAlready(insight));
  return succeed({ id: insight.id, status: to, output, usage });
}

function endedAlready({ id, status }: InsightSnapshot): Refusal {
  return {
    code: "conflict",
    detail: `The insight has ended as ${status}; what was told of it stays.`,
    existing: { id },
  };
}
