import type { Command } from "../lifecycle/commands.ts";
import type { Original } from "../lifecycle/duplicates.ts";
import { decide } from "../lifecycle/decide.ts";
import { dispatchesOf, NO_CHANGES } from "../lifecycle/decide/changes.ts";
import { settleDeferred } from "../lifecycle/decide/deferral.ts";
import { moveStep } from "../lifecycle/decide/move-step.ts";
import { duplicateConflict, overruling, transitionTo } from "../lifecycle/decide/transition.ts";
import type { Decision } from "../lifecycle/decision.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import { type Pipeline, PIPELINES } from "../pipelines/pipelines.ts";
import type { StepStatus } from "../lifecycle/statuses.ts";
import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  type BulkTarget,
  PIPELINES_ON_TARGET,
} from "./matrix.ts";
import { pipelinesAttachedTo } from "../lifecycle/attached.ts";
import { isIdle, pipelinesWaitedFor } from "../lifecycle/idle.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import { dryRun } from "./dry-run.ts";
import type { BulkIntent } from "./intent.ts";

export const BULK_REFUSALS = [
  "not_found",
  "archived",
  "already_in_status",
  "illegal_target",
  "gate_closed",
  "self_duplicate",
  "conflict",
  "invalid_transition",
  "no_next_step",
  "no_pipeline",
  "already_dispatched",
] as const;
export type BulkRefusal = (typeof BULK_REFUSALS)[number];

/** The options of a bulk change. They are the same for all its tasks. */
export interface BulkTerms {
  reason: string;
  /** The task that all of them duplicate. */
  duplicateOf: Original | null;
  runAttachedWorkflows: boolean;
}

/** A pipeline that is attached to the change of one task. It runs if the caller opts in. */
export interface PipelineOfTask {
  name: Pipeline;
  /** The pipeline was dispatched earlier, and will not be dispatched again. */
  isDispatched: boolean;
}

export type Judgment =
  | { ok: true; to: UnifiedStatus; change: Decision; pipelines: readonly PipelineOfTask[] }
  | { ok: false; code: BulkRefusal; pipelines?: readonly PipelineOfTask[] };

/** The statuses of steps that `retry` queues again, besides steps that are idle. */
export const RETRIED_STATUSES = ["failed", "cancelled"] as const satisfies readonly StepStatus[];

/** Decides a bulk change for one task. Preview and execution both call this function, so they agree. */
export function judge(
  snapshot: TaskSnapshot,
  intent: BulkIntent,
  terms: BulkTerms,
  newId: () => string,
): Judgment {
  if (snapshot.archivedAt !== null && !isOfArchive(intent)) return { ok: false, code: "archived" };
  if (intent.targetStatus !== undefined) {
    return judgeTarget(snapshot, intent.targetStatus, terms, newId);
  }
  if (intent.action === "run_pipelines") return judgePipelines(snapshot, newId);
  return judgeCommand(snapshot, commandOf(intent, terms), newId);
}

/** Returns true if a change puts tasks away or brings them back. No other change takes an archived task. */
function isOfArchive({ action }: BulkIntent): boolean {
  return action === "archive" || action === "restore";
}

function judgeTarget(
  snapshot: TaskSnapshot,
  to: BulkTarget,
  terms: BulkTerms,
  newId: () => string,
): Judgment {
  const from = resolve(factsOf(snapshot));
  if (from === to) return { ok: false, code: "already_in_status" };
  if (!BULK_ALLOWED_TARGETS[from].includes(to)) return { ok: false, code: "illegal_target" };
  const moved = moveStep(snapshot.step, BULK_STEP_STATUS[to]);
  if (!moved.ok) {
    const isClosed = moved.refusal.code === "gate_closed";
    return { ok: false, code: isClosed ? "gate_closed" : "illegal_target" };
  }
  if (terms.duplicateOf?.id === snapshot.id) return { ok: false, code: "self_duplicate" };
  if (to === "DUPLICATE" && duplicateConflict(snapshot, terms.duplicateOf) !== null) {
    return { ok: false, code: "conflict" };
  }

  const { reason, duplicateOf, runAttachedWorkflows } = terms;
  const command = { reason, duplicateOf: duplicateOf ?? undefined, runAttachedWorkflows };
  const attached = PIPELINES_ON_TARGET[to];
  const transition: Decision = {
    ...transitionTo(moved.value, snapshot, command, "bulk_transitioned"),
    dispatches: dispatchesOf(runAttachedWorkflows ? attached : [], moved.value, newId),
  };
  // The reason is the operation's, which execution requires.
  const overruled = overruling(
    transition,
    snapshot,
    { status: moved.value.status, reason },
    { newId },
  );
  const change = settleDeferred(snapshot, overruled);
  return { ok: true, to, change, pipelines: pipelinesOf(attached, snapshot.alreadyDispatched) };
}

/** Decides `run_pipelines`. It only dispatches the pipelines that the step waits for and that are not dispatched yet. */
function judgePipelines(snapshot: TaskSnapshot, newId: () => string): Judgment {
  const { step } = snapshot;
  const attached = pipelinesWaitedFor(step);
  const alreadyDispatched = attached.filter((name) => isUnderway(snapshot, name));
  const pipelines = pipelinesOf(attached, alreadyDispatched);
  if (attached.length === 0) return { ok: false, code: "no_pipeline" };
  const missing = attached.filter((name) => !alreadyDispatched.includes(name));
  if (missing.length === 0) return { ok: false, code: "already_dispatched", pipelines };
  const change = { ...NO_CHANGES, dispatches: dispatchesOf(missing, step, newId) };
  return { ok: true, to: resolve(factsOf(snapshot)), change, pipelines };
}

/**
 * Returns true if the pipeline was dispatched and will not be dispatched again. A run that was opened since the step was
 * found idle counts too: its first report ends that.
 */
function isUnderway({ step, openRuns, alreadyDispatched }: TaskSnapshot, name: Pipeline): boolean {
  if (alreadyDispatched.includes(name)) return true;
  return isIdle(step) && openRuns.some(({ type }) => type === PIPELINES[name].worker);
}

/** Returns the command that the route for a single task would get. `retry` is a transition to `queued`. */
function commandOf(
  intent: Exclude<BulkIntent, { targetStatus: BulkTarget } | { action: "run_pipelines" }>,
  { reason, runAttachedWorkflows }: BulkTerms,
): Command {
  switch (intent.action) {
    case "advance":
      return { type: "advance", reason, runAttachedWorkflows };
    case "retry":
      return { type: "transition", status: "queued", reason, runAttachedWorkflows };
    case "edit":
      return { type: "edit", changes: intent.changes, reason };
    case "archive":
    case "restore":
      return { type: intent.action, reason };
    case "rework":
      return { type: "rework", toKind: intent.toKind, reason, runAttachedWorkflows };
  }
}

/** An actor with the right `bulk`, which includes the right to each single change. */
const PERMITTED = { id: "bulk", name: "bulk", kind: "system", role: "reviewer" } as const;

function judgeCommand(
  snapshot: TaskSnapshot,
  command: ReturnType<typeof commandOf>,
  newId: () => string,
): Judgment {
  const { status } = snapshot.step;
  const isRetry = command.type === "transition";
  const isRetriable = isIdle(snapshot.step) || RETRIED_STATUSES.some((one) => one === status);
  if (isRetry && status !== command.status && !isRetriable) {
    return { ok: false, code: "invalid_transition" };
  }
  const decided = decide(snapshot, command, { actor: PERMITTED, newId });
  if (!decided.ok) return { ok: false, code: refusalOf(decided.refusal.code) };
  const change = decided.value;
  if (change.events.length === 0) return { ok: false, code: "already_in_status" };

  const after = dryRun(snapshot, change);
  const hasMoved = after.step.id !== snapshot.step.id || after.step.status !== status;
  const attached = hasMoved ? pipelinesAttachedTo(after.step) : [];
  // Earlier dispatches belong to the step that is left, so they do not count for an opened one.
  const dispatched = change.step === null ? snapshot.alreadyDispatched : [];
  const pipelines = pipelinesOf(attached, dispatched);
  return { ok: true, to: resolve(factsOf(after)), change, pipelines };
}

function pipelinesOf(
  attached: readonly Pipeline[],
  dispatched: readonly Pipeline[],
): PipelineOfTask[] {
  return attached.map((name) => ({ name, isDispatched: dispatched.includes(name) }));
}

/** Narrows a refusal code of the single route to those of bulk changes. */
function refusalOf(code: string): BulkRefusal {
  const known = BULK_REFUSALS.find((one) => one === code);
  if (known === undefined) throw new Error(`A bulk change cannot refuse a task as ${code}`);
  return known;
}
