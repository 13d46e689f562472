import type { TrialStatus } from "./statuses.ts";
import { succeed, type Issue, type Outcome, refuse, validationFailed } from "../refusals.ts";
import type { TrialResult } from "./snapshot.ts";

/** What a caller says of a trial: its status, or whether it passed, or the error that kept it from a verdict. */
export interface ReportedResult {
  status?: TrialStatus | undefined;
  passed?: boolean | undefined;
  score?: number | undefined;
  error?: string | undefined;
  outputDataId?: string | undefined;
}

/** The status that a result amounts to; undefined where it names none. */
export function reportedStatus({ status, passed, error }: ReportedResult): TrialStatus | undefined {
  if (status !== undefined) return status;
  if (passed !== undefined) return passed ? "passed" : "failed";
  return error === undefined ? undefined : "errored";
}

/** Reads what was said as a result in `status`, where no part of it contradicts another. */
export function readResult(
  told: ReportedResult,
  status: TrialStatus,
  path: Issue["path"],
): Outcome<TrialResult> {
  const issues: Issue[] = [];
  if (told.passed !== undefined && status !== (told.passed ? "passed" : "failed")) {
    const message = `A trial that is ${status} cannot have passed: ${told.passed}.`;
    issues.push({ path: [...path, "passed"], code: "contradicts_status", message });
  }
  if (told.error !== undefined && status !== "errored") {
    const message = "Only an errored trial has an error.";
    issues.push({ path: [...path, "error"], code: "not_applicable", message });
  }
  if (told.score !== undefined && status === "errored") {
    const message = "An errored trial is not scored.";
    issues.push({ path: [...path, "score"], code: "not_applicable", message });
  }
  if (issues.length > 0) return refuse(validationFailed(...issues));
  return succeed({
    status,
    score: told.score ?? null,
    error: told.error ?? null,
    outputDataId: told.outputDataId ?? null,
  });
}
