import { type EvalNames, loadEval, type LoadedEval } from "../../db/evals/load-evals.ts";
import { recordEvals, type StoredEvals } from "../../db/evals/record-evals.ts";
import type { EvalDecision } from "../../domain/evals/decision.ts";
import type { EvalSnapshot } from "../../domain/evals/snapshot.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { decideAgain, decideUntilRecorded, LOST_RACE } from "../call/decide-again.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

interface EvalRequest<Value> {
  /** What to load: the eval, and what the decision depends on. */
  names: EvalNames;
  decide: (found: FoundEval) => Outcome<EvalDecision>;
  render: (stored: Pick<StoredEvals<null>, "evals" | "trials">) => Value;
  /** True if the call means the same whatever others record at the same time, so that it is tried until it is recorded. */
  isAppending?: boolean;
}

export type FoundEval = LoadedEval & { snapshot: EvalSnapshot };

/** Loads an eval, decides and records. Every change of one eval and its trials goes through here. Two round trips. */
export function changeEval<Value>(
  call: ActionCall,
  { names, decide, render, isAppending = false }: EvalRequest<Value>,
): Promise<Outcome<Done<Value>>> {
  const decideThem = isAppending ? decideUntilRecorded : decideAgain;
  return decideThem("eval", async () => {
    const loaded = await loadEval(call.database, names, call.operation);
    if (loaded.stored) return replay(call.operation, loaded.stored, render);
    const { snapshot } = loaded;
    if (snapshot === null) return refuse(notFound());
    const decided = decide({ ...loaded, snapshot });
    if (!decided.ok) return decided;
    return recordDecided(call, [decided.value], render);
  });
}

/** Records decisions and renders the answer from the rows, or returns LOST_RACE if nothing was written. */
export async function recordDecided<Value>(
  call: ActionCall,
  decisions: readonly EvalDecision[],
  render: EvalRequest<Value>["render"],
): Promise<Outcome<Done<Value>> | typeof LOST_RACE> {
  const recorded = await recordEvals(call.database, decisions, {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer: null,
    returnsRows: true,
  });
  return conclude(call.operation, recorded, {
    result: (written) => (written.changed === 0 ? null : written),
    render,
    unwritten: () => LOST_RACE,
  });
}

/** Returns the only row of a call about one eval or trial. */
export function singleRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error("The ledger holds no row for what was written");
  return row;
}
