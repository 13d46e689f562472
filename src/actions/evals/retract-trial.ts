import { decideRetract } from "../../domain/evals/decide/trial.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { changeEval, singleRow } from "./change-eval.ts";
import { type TrialView, trialView } from "../views/eval-view.ts";

/** Retracts a trial, which frees its slot. The trial and its insights stay on record. */
export function retractTrial(
  call: ActionCall,
  { trialId, reason }: { trialId: string; reason: string },
): Promise<Outcome<Done<TrialView>>> {
  return changeEval(call, {
    names: { of: { trialId } },
    decide: ({ snapshot, trial }) =>
      trial === null ? refuse(notFound()) : decideRetract(snapshot, trial, { reason }),
    render: ({ trials }) => trialView(singleRow(trials)),
  });
}
