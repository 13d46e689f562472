import type { TrialStatus } from "./statuses.ts";
import { succeed, type Issue, type Outcome, refuse, validationFailed } from "../refusals.ts";
import type { TrialResult } from "./snapshot.ts";

/**
 * The result of a trial as callers report it: a status, a verdict, a score without a verdict, or the error that prevented
 * both.
 */
export interface ReportedResult {
  status?: TrialStatus | undefined;
  passed?: boolean | undefined;
  score?: number | undefined;
  error?: string | undefined;
  outputDataId?: string | undefined;
}

/** Returns the status that a reported result implies, or undefined if it implies none. */
export function reportedStatus({
  status,
  passed,
  error,
  score,
}: ReportedResult): TrialStatus | undefined {
  if (status !== undefined) return status;
  if (passed !== undefined) return passed ? "passed" : "failed";
  if (error !== undefined) return "errored";
  return score === undefined ? undefined : "scored";
}

/** Returns the reported result with the given status. Refuses a report whose parts contradict each other. */
export function readResult(
  reported: ReportedResult,
  status: TrialStatus,
  path: Issue["path"],
): Outcome<TrialResult> {
  const issues: Issue[] = [];
  if (reported.passed !== undefined && status !== (reported.passed ? "passed" : "failed")) {
    const message = `passed: ${reported.passed} contradicts the status ${status}.`;
    issues.push({ path: [...path, "passed"], code: "contradicts_status", message });
  }
  if (reported.error !== undefined && status !== "errored") {
    const message = "Only an errored trial can have an error.";
    issues.push({ path: [...path, "error"], code: "not_applicable", message });
  }
  if (reported.score !== undefined && status === "errored") {
    const message = "An errored trial cannot have a score.";
    issues.push({ path: [...path, "score"], code: "not_applicable", message });
  }
  if (issues.length > 0) return refuse(validationFailed(...issues));
  return succeed({
    status,
    score: reported.score ?? null,
    error: reported.error ?? null,
    outputDataId: reported.outputDataId ?? null,
  });
}

/** Returns an issue if a trial is scored without a score. */
export function scoreIssues({ status, score }: TrialResult, path: Issue["path"]): Issue[] {
  if (status !== "scored" || score !== null) return [];
  const message = "A scored trial has a score.";
  return [{ path: [...path, "score"], code: "required", message }];
}
