import type { EvalRecord } from "../../db/evals/eval-json.ts";
import { decideEvalChange, type EvalChange } from "../../domain/evals/decide/change.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { changeEval, singleRow } from "./change-eval.ts";

/** Moves an eval to another status, raises its number of trials per slot, or both. */
export function updateEval(
  call: ActionCall,
  { evalId, ...change }: EvalChange & { evalId: string },
): Promise<Outcome<Done<EvalRecord>>> {
  return changeEval(call, {
    names: { of: { evalId } },
    decide: ({ snapshot }) => decideEvalChange(snapshot, change),
    render: ({ evals }) => singleRow(evals),
    // The largest k of several calls counts, whatever their order.
    isAppending: change.status === undefined,
  });
}
