import { type EvalNames, loadEval, type LoadedEval } from "../../db/evals/load-evals.ts";
import { recordEvals, type StoredEvals } from "../../db/evals/record-evals.ts";
import type { EvalDecision } from "../../domain/evals/decision.ts";
import type { EvalSnapshot } from "../../domain/evals/snapshot.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

/** One eval's change: what it is about, what is decided, and what of the rows that were written it answers. */
interface EvalRequest<Value> {
  names: EvalNames;
  decide: (found: FoundEval) => Outcome<EvalDecision>;
  render: (stored: Pick<StoredEvals<null>, "evals" | "trials">) => Value;
}

export type FoundEval = LoadedEval & { snapshot: EvalSnapshot };

/** Load, decide, record: the one way in which a call reaches a single eval and its trials. Two round trips. */
export function changeEval<Value>(
  call: ActionCall,
  { names, decide, render }: EvalRequest<Value>,
): Promise<Outcome<Done<Value>>> {
  return decideAgain("eval", async () => {
    const loaded = await loadEval(call.database, names, call.operation);
    if (loaded.stored) return replay(call.operation, loaded.stored, render);
    const { snapshot } = loaded;
    if (snapshot === null) return refuse(notFound());
    const decided = decide({ ...loaded, snapshot });
    if (!decided.ok) return decided;
    return recordDecided(call, [decided.value], render);
  });
}

/** Records decisions and answers from the rows, unless a race was lost and nothing was written. */
export async function recordDecided<Value>(
  call: ActionCall,
  decisions: readonly EvalDecision[],
  render: EvalRequest<Value>["render"],
): Promise<Outcome<Done<Value>> | typeof LOST_RACE> {
  const recorded = await recordEvals(call.database, decisions, {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer: null,
    tellsRows: true,
  });
  return conclude(call.operation, recorded, {
    result: (written) => (written.changed === 0 ? null : written),
    render,
    unwritten: () => LOST_RACE,
  });
}

/** The one row that a call is about. */
export function theOne<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error("The ledger holds the row that was written");
  return row;
}
