import { decideTrialTransition } from "../../domain/evals/decide/trial.ts";
import type { ReportedResult } from "../../domain/evals/result.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { changeEval, theOne } from "./change-eval.ts";
import { type TrialView, trialView } from "../views/eval-view.ts";

/** Records what became of a trial. */
export function transitionTrial(
  call: ActionCall,
  { trialId, told }: { trialId: string; told: ReportedResult },
): Promise<Outcome<Done<TrialView>>> {
  const outputIds = told.outputDataId === undefined ? [] : [told.outputDataId];
  return changeEval(call, {
    names: { of: { trialId }, outputIds },
    decide: ({ snapshot, trial, outputIds: known }) =>
      trial === null ? refuse(notFound()) : decideTrialTransition(snapshot, trial, told, known),
    render: ({ trials }) => trialView(theOne(trials)),
  });
}
