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

/** A trial as callers report it: its slot, its maker, and its result. */
export interface ReportedTrial extends TrialSlot, MakerDetails, ReportedResult {}

/** What a decision about new trials needs in addition to the eval. */
export interface TrialsContext {
  /** The live trials on the requested slots. */
  live: readonly TrialSnapshot[];
  /** The reported outputs that belong to the eval's task. */
  outputIds: ReadonlySet<string>;
  newId: () => string;
}

/**
 * Records trials with one event, all or none. Each needs a free slot. Allowed in every status of the eval except
 * cancelled. `pathOf` returns the path of a trial in the request, for issues.
 */
export function decideTrials(
  snapshot: EvalSnapshot,
  reports: readonly ReportedTrial[],
  context: TrialsContext & { pathOf: (index: number) => Issue["path"] },
): Outcome<EvalDecision> {
  if (snapshot.status === "cancelled") return refuse(evalCancelled(snapshot));
  const trials: NewTrial[] = [];
  const issues: Issue[] = [];
  const seen = new Set<string>();
  for (const [index, trial] of reports.entries()) {
    const path = context.pathOf(index);
    issues.push(...slotIssues(trial, snapshot.k, path));
    const slot = slotKey(trial);
    if (seen.has(slot)) {
      const message = `Trial ${trial.k} of ${trial.model} is repeated.`;
      issues.push({ path, code: "repeated_slot", message });
    }
    seen.add(slot);
    const result = readResult(trial, reportedStatus(trial) ?? "pending", path);
    if (result.ok) trials.push(newTrial(context.newId(), trial, result.value));
    else if (result.refusal.code === "validation_failed") issues.push(...result.refusal.issues);
  }
  if (issues.length > 0) return refuse(validationFailed(...issues));

  const holders = new Map(context.live.map((trial) => [slotKey(trial), trial]));
  for (const trial of trials) {
    const holder = holders.get(slotKey(trial));
    if (holder !== undefined) return refuse(slotTaken(holder, trial.modelRevision));
    const { outputDataId } = trial;
    if (outputDataId !== null && !context.outputIds.has(outputDataId)) return refuse(notFound());
  }
  return succeed({ ...unchanged(snapshot), ...recording(snapshot, trials) });
}

/** Returns the trials with the event that records them. */
export function recording(
  snapshot: Pick<EvalSnapshot, "status">,
  trials: readonly NewTrial[],
): Pick<EvalDecision, "events" | "trials"> {
  return { events: [eventIn(snapshot, "trials_recorded", { trials: [...trials] })], trials };
}

/** Returns an issue if the eval does not have the slot. */
export function slotIssues({ k }: TrialSlot, kMax: number, path: Issue["path"]): Issue[] {
  if (k >= 1 && k <= kMax) return [];
  const message = `k must be from 1 to ${kMax} in this eval.`;
  return [{ path: [...path, "k"], code: "out_of_range", message }];
}

/** Returns a new trial on a slot, with its result. */
export function newTrial(id: string, of: TrialSlot & MakerDetails, result: TrialResult): NewTrial {
  const { k, model, modelRevision, agent, provider } = of;
  const { status, score, error, outputDataId } = result;
  return { id, k, model, modelRevision, agent, provider, status, score, error, outputDataId };
}
