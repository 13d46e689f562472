import { decideTrialTransition } from "../../domain/evals/decide/trial.ts";
import type { ReportedResult } from "../../domain/evals/result.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { changeEval, singleRow } from "./change-eval.ts";
import { type TrialView, trialView } from "../views/eval-view.ts";

/** Records the result of a trial. */
export function transitionTrial(
  call: ActionCall,
  { trialId, result }: { trialId: string; result: ReportedResult },
): Promise<Outcome<Done<TrialView>>> {
  const outputIds = result.outputDataId === undefined ? [] : [result.outputDataId];
  return changeEval(call, {
    names: { of: { trialId }, outputIds },
    decide: ({ snapshot, trial, outputIds: known }) =>
      trial === null ? refuse(notFound()) : decideTrialTransition(snapshot, trial, result, known),
    render: ({ trials }) => trialView(singleRow(trials)),
  });
}
