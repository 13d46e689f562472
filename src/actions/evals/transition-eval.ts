import type { EvalRecord } from "../../db/evals/eval-json.ts";
import { decideEvalTransition } from "../../domain/evals/decide/transition.ts";
import type { EvalStatus } from "../../domain/evals/statuses.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { changeEval, singleRow } from "./change-eval.ts";

/** Moves an eval to another status. */
export function transitionEval(
  call: ActionCall,
  { evalId, ...move }: { evalId: string; status: EvalStatus; reason?: string | undefined },
): Promise<Outcome<Done<EvalRecord>>> {
  return changeEval(call, {
    names: { of: { evalId } },
    decide: ({ snapshot }) => decideEvalTransition(snapshot, move),
    render: ({ evals }) => singleRow(evals),
  });
}
