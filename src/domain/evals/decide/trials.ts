import {
  succeed,
  type Issue,
  notFound,
  type Outcome,
  refuse,
  validationFailed,
} from "../../refusals.ts";
import type { EvalDecision, NewTrial } from "../decision.ts";
import { differencesOf } from "../difference.ts";
import { evalCancelled, slotsTaken } from "../refusals.ts";
import { readResult, reportedStatus, type ReportedResult, scoreIssues } from "../result.ts";
import { slotKey, type TrialSlot } from "../slot.ts";
import type { EvalSnapshot, HeldTrial, TrialResult } from "../snapshot.ts";
import { eventIn, unchanged } from "./events.ts";

/** A trial as callers report it: its slot, its maker, and its result. */
export interface ReportedTrial extends TrialSlot, ReportedResult {}

/** What a decision about new trials needs in addition to the eval. */
export interface TrialsContext {
  /** The live trials on the requested slots. */
  live: readonly HeldTrial[];
  /** The reported outputs that belong to the eval's task. */
  outputIds: ReadonlySet<string>;
  newId: () => string;
}

/**
 * Records trials with one event, all or none. Each needs a free slot. Allowed in every status of the eval except
 * cancelled. `isList` says whether the request is a list, `pathOf` the path of a trial in it.
 */
export function decideTrials(
  snapshot: EvalSnapshot,
  reports: readonly ReportedTrial[],
  context: TrialsContext & { isList: boolean; pathOf: (index: number) => Issue["path"] },
): Outcome<EvalDecision> {
  if (snapshot.status === "cancelled") return refuse(evalCancelled(snapshot));
  const trials: NewTrial[] = [];
  const issues: Issue[] = [];
  const seen = new Set<string>();
  for (const [index, trial] of reports.entries()) {
    const path = context.pathOf(index);
    issues.push(...slotIssues(trial, snapshot.k, path));
    const slot = slotKey(trial, snapshot.slotBy);
    if (seen.has(slot)) {
      const message = `Trial ${trial.k} of ${trial.model} is repeated.`;
      issues.push({ path, code: "repeated_slot", message });
    }
    seen.add(slot);
    const result = readResult(trial, reportedStatus(trial) ?? "pending", path);
    if (result.ok) {
      issues.push(...scoreIssues(result.value, path));
      trials.push(newTrial(context.newId(), trial, result.value));
    } else if (result.refusal.code === "validation_failed") issues.push(...result.refusal.issues);
  }
  if (issues.length > 0) return refuse(validationFailed(...issues));

  const { slotBy } = snapshot;
  const holders = new Map(context.live.map((trial) => [slotKey(trial, slotBy), trial]));
  const taken = trials.flatMap((trial, index) => {
    const holder = holders.get(slotKey(trial, slotBy));
    return holder === undefined ? [] : [{ index, holder, differs: differencesOf(holder, trial) }];
  });
  const first = taken.find(({ differs }) => differs.length > 0) ?? taken[0];
  if (first !== undefined) {
    const slots = taken.map(({ index, holder: { id }, differs }) => {
      const outcome = differs.length === 0 ? ("exists" as const) : ("conflict" as const);
      return { index, outcome, existing: { id }, differs };
    });
    return refuse(slotsTaken(first, slotBy, context.isList ? slots : null));
  }
  const isKnown = ({ outputDataId }: NewTrial) =>
    outputDataId === null || context.outputIds.has(outputDataId);
  if (!trials.every(isKnown)) return refuse(notFound());
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
export function slotIssues(
  { k }: Pick<TrialSlot, "k">,
  kMax: number,
  path: Issue["path"],
): Issue[] {
  if (k >= 1 && k <= kMax) return [];
  const message = `k must be from 1 to ${kMax} in this eval.`;
  return [{ path: [...path, "k"], code: "out_of_range", message }];
}

/** Returns a new trial on a slot, with its result. */
export function newTrial(id: string, of: TrialSlot, result: TrialResult): NewTrial {
  const { k, model, modelRevision, agent, agentRevision, provider } = of;
  const { status, score, error, outputDataId } = result;
  const maker = { model, modelRevision, agent, agentRevision, provider };
  return { id, k, ...maker, status, score, error, outputDataId };
}
