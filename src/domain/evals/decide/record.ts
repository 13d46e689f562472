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

/** A result as callers report it: a verdict, or the error that prevented one. */
export interface ReportedRecord extends TrialSlot, MakerDetails, ReportedResult {
  usage: Readonly<Record<string, unknown>> | null;
}

/** Checks the results of an evaluation with k trials per model. Other members of each result are kept. */
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
        const message = "Set passed, or the error that prevented a verdict.";
        issues.push({ path: [...path, "passed"], code: "required", message });
        return [];
      }
      const read = readResult(result, reached, path);
      if (read.ok) return [{ ...rest, result: read.value }];
      if (read.refusal.code === "validation_failed") issues.push(...read.refusal.issues);
      return [];
    },
  );
  return issues.length === 0 ? succeed(results) : refuse(validationFailed(...issues));
}

export const RECORD_OUTCOMES = ["recorded", "exists", "conflict", "not_found"] as const;
export type RecordOutcome = (typeof RECORD_OUTCOMES)[number];

/** One result of an evaluation over many tasks. */
export interface RecordedResult extends TrialSlot, MakerDetails {
  result: TrialResult;
  usage: Readonly<Record<string, unknown>> | null;
}

export interface ResultOutcome {
  outcome: RecordOutcome;
  /** The trial that was created for the result, or that already holds its slot. */
  trialId?: string;
  /** The reason for a conflict. */
  detail?: string;
}

/** One task of the evaluation, with its existing eval and trials. */
export interface RecordTarget {
  task: { id: string; versionId: string; isArchived: boolean };
  name: string;
  k: number;
  /** True if no more trials follow. A running eval that has one of the results is then completed. */
  complete: boolean;
  /** The newest live eval with this name on the task's active version. */
  snapshot: EvalSnapshot | null;
  live: readonly TrialSnapshot[];
  outputIds: ReadonlySet<string>;
}

/**
 * Records the results of one task, each independently. Opens the eval if the task has none with that name. A result whose
 * slot is taken gets the outcome `exists` if it equals the recorded result, and `conflict` otherwise. An eval that has
 * none of the results is not changed, and not completed.
 */
export function decideRecord(
  target: RecordTarget,
  results: readonly RecordedResult[],
  newId: () => string,
): { decision: EvalDecision | null; outcomes: ResultOutcome[] } {
  const { task, snapshot, k } = target;
  if (snapshot === null && task.isArchived) return allConflict(results, "The task is archived.");
  if (snapshot !== null && snapshot.k !== k) {
    return allConflict(results, `The eval with this name has k = ${snapshot.k}.`);
  }
  const { outcomes, trials, insights } = fillSlots(target, results, newId);
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

/** The status of an eval that its first results open. */
const OPENED_AS = "running";

/** Returns the outcome of each result, and the new trials and insights for results on free slots. */
function fillSlots(
  { live, outputIds }: RecordTarget,
  results: readonly RecordedResult[],
  newId: () => string,
) {
  const holders = new Map<string, HeldSlot>(live.map((held) => [slotKey(held), held]));
  const trials: NewTrial[] = [];
  const insights: TrialInsight[] = [];
  const outcomes = results.map((recorded): ResultOutcome => {
    const { result } = recorded;
    if (result.outputDataId !== null && !outputIds.has(result.outputDataId)) {
      return { outcome: "not_found" };
    }
    const holder = holders.get(slotKey(recorded));
    if (holder !== undefined) return compare(holder, recorded);
    const trial = newTrial(newId(), recorded, result);
    holders.set(slotKey(recorded), trial);
    trials.push(trial);
    if (recorded.usage !== null) insights.push(insightOf(trial, recorded.usage, newId()));
    return { outcome: "recorded", trialId: trial.id };
  });
  return { outcomes, trials, insights };
}

/** Returns the event that completes an eval. Empty if the eval has ended or has not started. */
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

/** Compares a result with the trial on its slot. A result is the same if revision, status and score are equal. */
function compare(holder: HeldSlot, recorded: RecordedResult): ResultOutcome {
  const { status, score } = recorded.result;
  const trialId = holder.id;
  if (holder.modelRevision !== recorded.modelRevision) {
    return { outcome: "conflict", trialId, detail: whyTaken(holder, recorded.modelRevision) };
  }
  if (holder.status === status && holder.score === score) return { outcome: "exists", trialId };
  const detail = `Trial ${recorded.k} of ${recorded.model} is already recorded with another result.`;
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
