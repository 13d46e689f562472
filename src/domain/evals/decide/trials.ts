import {
  succeed,
  type Issue,
  notFound,
  type Outcome,
  refuse,
  validationFailed,
} from "../../refusals.ts";
import type { MakerDetails } from "../../maker.ts";
import type { EvalDecision, NewTrial } from "../decision.ts";
import { evalCancelled, slotTaken } from "../refusals.ts";
import { readResult, reportedStatus, type ReportedResult } from "../result.ts";
import {
  type EvalSnapshot,
  slotKey,
  type TrialResult,
  type TrialSlot,
  type TrialSnapshot,
} from "../snapshot.ts";
import { eventIn, unchanged } from "./events.ts";

/** A trial as it is told: on which slot, by whom, and what became of it. */
export interface ReportedTrial extends TrialSlot, MakerDetails, ReportedResult {}

/** What the decision about new trials looks at, beside the eval. */
export interface TrialsBeside {
  /** The live trials on the slots that are asked for. */
  live: readonly TrialSnapshot[];
  /** Those of the named outputs that the eval's task has. */
  outputIds: ReadonlySet<string>;
  newId: () => string;
}

/**
 * Records trials with one event, all of them or none: each on a free slot of the eval, in every status of the eval but
 * cancelled. `pathOf` says where in the request a trial stands.
 */
export function decideTrials(
  snapshot: EvalSnapshot,
  told: readonly ReportedTrial[],
  beside: TrialsBeside & { pathOf: (index: number) => Issue["path"] },
): Outcome<EvalDecision> {
  if (snapshot.status === "cancelled") return refuse(evalCancelled(snapshot));
  const trials: NewTrial[] = [];
  const issues: Issue[] = [];
  const seen = new Set<string>();
  for (const [index, trial] of told.entries()) {
    const path = beside.pathOf(index);
    issues.push(...slotIssues(trial, snapshot.k, path));
    const slot = slotKey(trial);
    if (seen.has(slot)) {
      const message = `Trial ${trial.k} of ${trial.model} stands twice.`;
      issues.push({ path, code: "repeated_slot", message });
    }
    seen.add(slot);
    const result = readResult(trial, reportedStatus(trial) ?? "pending", path);
    if (result.ok) trials.push(newTrial(beside.newId(), trial, result.value));
    else if (result.refusal.code === "validation_failed") issues.push(...result.refusal.issues);
  }
  if (issues.length > 0) return refuse(validationFailed(...issues));

  const holders = new Map(beside.live.map((trial) => [slotKey(trial), trial]));
  for (const trial of trials) {
    const holder = holders.get(slotKey(trial));
    if (holder !== undefined) return refuse(slotTaken(holder, trial.modelRevision));
    const { outputDataId } = trial;
    if (outputDataId !== null && !beside.outputIds.has(outputDataId)) return refuse(notFound());
  }
  return succeed({ ...unchanged(snapshot), ...recording(snapshot, trials) });
}

/** The trials, and the one event that tells of them. */
export function recording(
  snapshot: Pick<EvalSnapshot, "status">,
  trials: readonly NewTrial[],
): Pick<EvalDecision, "events" | "trials"> {
  return { events: [eventIn(snapshot, "trials_recorded", { trials: [...trials] })], trials };
}

/** What is wrong with a slot of an eval of k trials. */
export function slotIssues({ k }: TrialSlot, kMax: number, path: Issue["path"]): Issue[] {
  if (k >= 1 && k <= kMax) return [];
  const message = `This eval has trials 1 to ${kMax}.`;
  return [{ path: [...path, "k"], code: "out_of_range", message }];
}

/** A trial on its slot, with what became of it. */
export function newTrial(id: string, of: TrialSlot & MakerDetails, result: TrialResult): NewTrial {
  const { k, model, modelRevision, agent, provider } = of;
  const { status, score, error, outputDataId } = result;
  return { id, k, model, modelRevision, agent, provider, status, score, error, outputDataId };
}
