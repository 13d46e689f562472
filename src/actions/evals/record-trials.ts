import { decideTrials, type ReportedTrial } from "../../domain/evals/decide/trials.ts";
import type { Issue, Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { changeEval } from "./change-eval.ts";
import { type TrialView, trialView } from "../views/eval-view.ts";

/** Records trials of an eval with one event: all of them, or none. */
export function recordTrials(
  call: ActionCall,
  input: {
    evalId: string;
    trials: readonly ReportedTrial[];
    /** Whether the request body is a list, and where in it a trial is. */
    isList: boolean;
    pathOf: (index: number) => Issue["path"];
  },
): Promise<Outcome<Done<TrialView[]>>> {
  const { evalId, trials, isList, pathOf } = input;
  const outputIds = trials.flatMap(({ outputDataId }) => outputDataId ?? []);
  return changeEval(call, {
    names: { of: { evalId }, slots: trials, outputIds },
    decide: ({ snapshot, live, outputIds: known }) =>
      decideTrials(snapshot, trials, {
        live,
        outputIds: known,
        newId: idsOf(call),
        isList,
        pathOf,
      }),
    render: ({ trials: rows }) => rows.map(trialView),
    isAppending: true,
  });
}
