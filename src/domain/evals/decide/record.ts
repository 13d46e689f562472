import {
  type FieldDifference,
  succeed,
  type Issue,
  type Outcome,
  refuse,
  validationFailed,
} from "../../refusals.ts";
import type { EvalStatus } from "../statuses.ts";
import type { EvalDecision, NewEvalEvent, NewTrial, TrialInsight } from "../decision.ts";
import { differencesOf } from "../difference.ts";
import { whyOtherSlots, whyTaken } from "../refusals.ts";
import { readResult, reportedStatus, type ReportedResult, scoreIssues } from "../result.ts";
import { isSameSlotBy, MODEL_ALONE, type SlotBy, slotKey, type TrialSlot } from "../slot.ts";
import type { EvalSnapshot, HeldTrial, TrialResult, Usage } from "../snapshot.ts";
import { decideEvalCreate } from "./create.ts";
import { unchanged } from "./events.ts";
import { raising } from "./change.ts";
import { transitionFrom } from "./transition.ts";
import { newTrial, recording, slotIssues } from "./trials.ts";

/** A result as callers report it: a verdict, a score, or the error that prevented both. */
export interface ReportedRecord extends TrialSlot, ReportedResult {
  usage: Usage | null;
}

/** Checks the results of an evaluation with k trials per slot. Other members of each result are kept. */
export function readResults<Reported extends ReportedRecord>(
  reports: readonly Reported[],
  k: number,
): Outcome<(Omit<Reported, keyof ReportedResult> & RecordedResult)[]> {
  const issues: Issue[] = [];
  const results = reports.flatMap(
    ({ status, passed, score, error, outputDataId, ...rest }, index) => {
      const path = ["results", index];
      issues.push(...slotIssues(rest, k, path));
      const result = { status, passed, score, error, outputDataId };
      const reached = reportedStatus(result);
      if (reached === undefined) {
        const message = "Set passed, the score, or the error that prevented a verdict.";
        issues.push({ path: [...path, "passed"], code: "required", message });
        return [];
      }
      const read = readResult(result, reached, path);
      if (read.ok) {
        issues.push(...scoreIssues(read.value, path));
        return [{ ...rest, result: read.value }];
      }
      if (read.refusal.code === "validation_failed") issues.push(...read.refusal.issues);
      return [];
    },
  );
  return issues.length === 0 ? succeed(results) : refuse(validationFailed(...issues));
}

export const RECORD_OUTCOMES = ["recorded", "exists", "conflict", "not_found"] as const;
export type RecordOutcome = (typeof RECORD_OUTCOMES)[number];

/** One result of an evaluation over many tasks. */
export interface RecordedResult extends TrialSlot {
  result: TrialResult;
  usage: Usage | null;
}

export interface ResultOutcome {
  outcome: RecordOutcome;
  /** The trial that was created for the result, or that already holds its slot. */
  trialId?: string;
  /** The trial that holds the slot, for a conflict with one, and the fields in which the result differs from it. */
  existing?: { id: string };
  differs?: readonly FieldDifference[];
  /** The reason for a conflict. */
  detail?: string;
}

/** One task of the evaluation, with its existing eval and trials. */
export interface RecordTarget {
  task: { id: string; versionId: string; isArchived: boolean };
  name: string;
  /** An existing eval with a smaller k is raised to it. One with a larger k keeps its own. */
  k: number;
  /** The members that distinguish trials. Undefined: those of the existing eval, or only the model. */
  slotBy: SlotBy | undefined;
  /** True if no more trials follow. A running eval that has one of the results is then completed. */
  complete: boolean;
  /** The newest live eval with this name on the task's active version. */
  snapshot: EvalSnapshot | null;
  live: readonly HeldTrial[];
  outputIds: ReadonlySet<string>;
}

/**
 * Records the results of one task, each independently. Opens the eval if the task has none with that name. A result whose
 * slot is taken gets the outcome `exists` if everything about it equals the trial on the slot, and `conflict` otherwise.
 * An eval that has none of the results is not changed, and not completed. Neither is an eval completed whose k is larger
 * than the caller knows, because more trials were asked for.
 */
export function decideRecord(
  target: RecordTarget,
  results: readonly RecordedResult[],
  newId: () => string,
): { decision: EvalDecision | null; outcomes: ResultOutcome[] } {
  const { task, snapshot, k } = target;
  if (snapshot === null && task.isArchived) return allConflict(results, "The task is archived.");
  const slotBy = snapshot?.slotBy ?? target.slotBy ?? MODEL_ALONE;
  if (target.slotBy !== undefined && !isSameSlotBy(target.slotBy, slotBy)) {
    return allConflict(results, whyOtherSlots(slotBy));
  }
  const { outcomes, trials, insights } = fillSlots(target, results, { slotBy, newId });
  const status = snapshot?.status ?? OPENED_AS;
  const isTouched = outcomes.some(({ outcome }) => outcome === "recorded" || outcome === "exists");
  const raised = snapshot !== null && isTouched && k > snapshot.k ? raising(snapshot, k) : null;
  const events = [
    ...(raised?.events ?? []),
    ...(trials.length > 0 ? recording({ status }, trials).events : []),
    ...(target.complete && isTouched && k >= (snapshot?.k ?? k) ? completion(status) : []),
  ];
  if (events.length === 0) return { decision: null, outcomes };

  const { name } = target;
  const input = { taskId: task.id, versionId: task.versionId, name, k, slotBy };
  const base =
    snapshot === null
      ? decideEvalCreate(input, { newId, status: OPENED_AS })
      : { ...unchanged(snapshot), raises: raised?.raises ?? null };
  const decision = { ...base, events: [...base.events, ...events], trials, insights };
  return { decision, outcomes };
}

/** The status of an eval that its first results open. */
const OPENED_AS = "running";

/** Returns the outcome of each result, and the new trials and insights for results on free slots. */
function fillSlots(
  { live, outputIds }: RecordTarget,
  results: readonly RecordedResult[],
  { slotBy, newId }: { slotBy: SlotBy; newId: () => string },
) {
  const holders = new Map<string, HeldSlot>(live.map((held) => [slotKey(held, slotBy), held]));
  const trials: NewTrial[] = [];
  const insights: TrialInsight[] = [];
  const outcomes = results.map((recorded): ResultOutcome => {
    const { result } = recorded;
    if (result.outputDataId !== null && !outputIds.has(result.outputDataId)) {
      return { outcome: "not_found" };
    }
    const slot = slotKey(recorded, slotBy);
    const holder = holders.get(slot);
    if (holder !== undefined) return compare(holder, recorded, slotBy);
    const trial = newTrial(newId(), recorded, result);
    const { usage } = recorded;
    holders.set(slot, { ...trial, usage });
    trials.push(trial);
    if (usage !== null) insights.push(insightOf(trial, usage, newId()));
    return { outcome: "recorded", trialId: trial.id };
  });
  return { outcomes, trials, insights };
}

/** Returns the event that completes an eval. Empty if the eval has ended or has not started. */
function completion(from: EvalStatus): NewEvalEvent[] {
  const moved = transitionFrom(from, { status: "completed" });
  return moved.ok ? [moved.value] : [];
}

type HeldSlot = NewTrial & Pick<HeldTrial, "usage">;

function allConflict(results: readonly RecordedResult[], detail: string) {
  return {
    decision: null,
    outcomes: results.map(() => ({ outcome: "conflict" as const, detail })),
  };
}

/** Compares a result with the trial on its slot. It exists only if everything about it is equal. */
function compare(holder: HeldSlot, recorded: RecordedResult, slotBy: SlotBy): ResultOutcome {
  const { result, ...reported } = recorded;
  const trialId = holder.id;
  const differs = differencesOf(holder, { ...reported, ...result });
  if (differs.length === 0) return { outcome: "exists", trialId };
  const detail = whyTaken(holder, differs, slotBy);
  return { outcome: "conflict", trialId, existing: { id: trialId }, differs, detail };
}

function insightOf(trial: NewTrial, usage: Usage, id: string): TrialInsight {
  const { id: trialId, model, modelRevision, agent, agentRevision, provider } = trial;
  const status = trial.status === "errored" ? "FAILED" : "SUCCEEDED";
  return { id, trialId, model, modelRevision, agent, agentRevision, provider, status, usage };
}
