import { succeed, type Issue, type Outcome, refuse, validationFailed } from "../../refusals.ts";
import type { EvalStatus } from "../statuses.ts";
import type { MakerDetails } from "../../maker.ts";
import type { EvalDecision, NewEvalEvent, NewTrial, TrialInsight } from "../decision.ts";
import { whyTaken } from "../refusals.ts";
import { readResult, reportedStatus, type ReportedResult } from "../result.ts";
import {
  type EvalSnapshot,
  slotKey,
  type TrialResult,
  type TrialSlot,
  type TrialSnapshot,
} from "../snapshot.ts";
import { decideEvalCreate } from "./create.ts";
import { unchanged } from "./events.ts";
import { transitionFrom } from "./transition.ts";
import { newTrial, recording, slotIssues } from "./trials.ts";

/** A result as it is told; it names a verdict or the error that kept it from one. */
export interface ReportedRecord extends TrialSlot, MakerDetails, ReportedResult {
  usage: Readonly<Record<string, unknown>> | null;
}

/** Reads the results of an evaluation with k trials, each with what else the caller said of it. */
export function readResults<Told extends ReportedRecord>(
  told: readonly Told[],
  k: number,
): Outcome<(Omit<Told, keyof ReportedResult> & RecordedResult)[]> {
  const issues: Issue[] = [];
  const results = told.flatMap(({ status, passed, score, error, outputDataId, ...rest }, index) => {
    const path = ["results", index];
    issues.push(...slotIssues(rest, k, path));
    const result = { status, passed, score, error, outputDataId };
    const reached = reportedStatus(result);
    if (reached === undefined) {
      const message = "Say whether it passed, or the error that kept it from a verdict.";
      issues.push({ path: [...path, "passed"], code: "required", message });
      return [];
    }
    const read = readResult(result, reached, path);
    if (read.ok) return [{ ...rest, result: read.value }];
    if (read.refusal.code === "validation_failed") issues.push(...read.refusal.issues);
    return [];
  });
  return issues.length === 0 ? succeed(results) : refuse(validationFailed(...issues));
}

export const RECORD_OUTCOMES = ["recorded", "exists", "conflict", "not_found"] as const;
export type RecordOutcome = (typeof RECORD_OUTCOMES)[number];

/** One result of an evaluation over many tasks. */
export interface RecordedResult extends TrialSlot, MakerDetails {
  result: TrialResult;
  usage: Readonly<Record<string, unknown>> | null;
}

/** What became of a result. */
export interface ResultOutcome {
  outcome: RecordOutcome;
  /** The trial that was made of it, or that stands on its slot. */
  trialId?: string;
  /** Why it is a conflict. */
  detail?: string;
}

/** One task of the evaluation, with what it has of it already. */
export interface RecordTarget {
  task: { id: string; versionId: string; isArchived: boolean };
  name: string;
  k: number;
  /** Whether all trials are in with these: a running eval that has one of the results is completed then. */
  complete: boolean;
  /** The newest live eval of that name on the task's active version. */
  snapshot: EvalSnapshot | null;
  live: readonly TrialSnapshot[];
  outputIds: ReadonlySet<string>;
}

/**
 * Records the results of one task, each judged by itself; the eval is opened where there is none of that name. A
 * result that is there already, from before or from an earlier one of the call, `exists` where it says the same.
 * An eval that has none of the results is left alone, and not completed either.
 */
export function decideRecord(
  target: RecordTarget,
  results: readonly RecordedResult[],
  newId: () => string,
): { decision: EvalDecision | null; outcomes: ResultOutcome[] } {
  const { task, snapshot, k } = target;
  if (snapshot === null && task.isArchived) return allConflict(results, "The task is archived.");
  if (snapshot !== null && snapshot.k !== k) {
    return allConflict(results, `The eval of this name has k = ${snapshot.k}.`);
  }
  const { outcomes, trials, insights } = meetSlots(target, results, newId);
  const status = snapshot?.status ?? OPENED_AS;
  const isTouched = outcomes.some(({ outcome }) => outcome === "recorded" || outcome === "exists");
  const events = [
    ...(trials.length > 0 ? recording({ status }, trials).events : []),
    ...(target.complete && isTouched ? completion(status) : []),
  ];
  if (events.length === 0) return { decision: null, outcomes };

  const { name } = target;
  const input = { taskId: task.id, versionId: task.versionId, name, k };
  const base =
    snapshot === null ? decideEvalCreate(input, { newId, status: OPENED_AS }) : unchanged(snapshot);
  const decision = { ...base, events: [...base.events, ...events], trials, insights };
  return { decision, outcomes };
}

/** An eval that is opened by its first results runs. */
const OPENED_AS = "running";

/** What becomes of each result, and the trials and insights that are made of those on free slots. */
function meetSlots(
  { live, outputIds }: RecordTarget,
  results: readonly RecordedResult[],
  newId: () => string,
) {
  const holders = new Map<string, HeldSlot>(live.map((held) => [slotKey(held), held]));
  const trials: NewTrial[] = [];
  const insights: TrialInsight[] = [];
  const outcomes = results.map((told): ResultOutcome => {
    const { result } = told;
    if (result.outputDataId !== null && !outputIds.has(result.outputDataId)) {
      return { outcome: "not_found" };
    }
    const holder = holders.get(slotKey(told));
    if (holder !== undefined) return meeting(holder, told);
    const trial = newTrial(newId(), told, result);
    holders.set(slotKey(told), trial);
    trials.push(trial);
    if (told.usage !== null) insights.push(insightOf(trial, told.usage, newId()));
    return { outcome: "recorded", trialId: trial.id };
  });
  return { outcomes, trials, insights };
}

/** The event that completes an eval; none where its table does not let it, as it has ended or has not begun. */
function completion(from: EvalStatus): NewEvalEvent[] {
  const moved = transitionFrom(from, { status: "completed" });
  return moved.ok ? [moved.value] : [];
}

type HeldSlot = NewTrial | TrialSnapshot;

function allConflict(results: readonly RecordedResult[], detail: string) {
  return {
    decision: null,
    outcomes: results.map(() => ({ outcome: "conflict" as const, detail })),
  };
}

/** The same revision with the same result is the same trial, told again. */
function meeting(holder: HeldSlot, told: RecordedResult): ResultOutcome {
  const { status, score } = told.result;
  const trialId = holder.id;
  if (holder.modelRevision !== told.modelRevision) {
    return { outcome: "conflict", trialId, detail: whyTaken(holder, told.modelRevision) };
  }
  if (holder.status === status && holder.score === score) return { outcome: "exists", trialId };
  const detail = `Trial ${told.k} of ${told.model} is recorded already, with another result.`;
  return { outcome: "conflict", trialId, detail };
}

function insightOf(trial: NewTrial, usage: TrialInsight["usage"], id: string): TrialInsight {
  const { id: trialId, model, modelRevision, agent, provider, status } = trial;
  return {
    id,
    trialId,
    model,
    modelRevision,
    agent,
    provider,
    status: status === "errored" ? "FAILED" : "SUCCEEDED",
    usage,
  };
}
