import { sameJson } from "../../json.ts";
import type { DecisionContext, ReportCommand } from "../commands.ts";
import type { Decision, KeptAside, RunChange } from "../decision.ts";
import { NO_CHANGES } from "./changes.ts";

/** Returns what a report says. A member that it leaves out is null, and says nothing. */
export function wordsOf({ state, verdict, result, error }: ReportCommand): Omit<RunChange, "id"> {
  return { state, verdict: verdict ?? null, result: result ?? null, error: error ?? null };
}

/**
 * Decides a report on a run that has ended. The run keeps the state, verdict, result and error that it ended with, and
 * the report is kept whole beside it. A repeat that says nothing else than how the run ended changes nothing.
 */
export function decideLate(
  command: ReportCommand,
  { newId }: Pick<DecisionContext, "newId">,
): Decision {
  if (isRepeat(command)) return NO_CHANGES;
  const { run, attempt = null } = command;
  const keptAside: KeptAside = {
    reason: "run_ended",
    detail: `The run had already ended as ${run.state}. The report is kept among its late reports and changes nothing else.`,
  };
  const lateReport = { id: newId(), runId: run.id, ...wordsOf(command), attempt };
  return { ...NO_CHANGES, lateReport, keptAside };
}

function isRepeat(command: ReportCommand): boolean {
  const { state, verdict, result, error } = wordsOf(command);
  const { run } = command;
  return (
    state === run.state &&
    (verdict === null || verdict === run.verdict) &&
    (result === null || sameJson(result, run.result)) &&
    (error === null || error === run.error)
  );
}
