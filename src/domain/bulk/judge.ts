import { apply } from "../lifecycle/apply.ts";
import type { Command } from "../lifecycle/commands.ts";
import { decide } from "../lifecycle/decide.ts";
import { dispatchesOf, NO_CHANGES } from "../lifecycle/decide/changes.ts";
import { moveStep } from "../lifecycle/decide/move-step.ts";
import { transitionTo } from "../lifecycle/decide/transition.ts";
import type { Decision } from "../lifecycle/decision.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import type { Pipeline } from "../pipelines/pipelines.ts";
import type { StepStatus } from "../lifecycle/statuses.ts";
import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  type BulkTarget,
  PIPELINES_ON_TARGET,
} from "./matrix.ts";
import { pipelinesAttachedTo } from "../lifecycle/attached.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { BulkIntent } from "./intent.ts";

export const BULK_REFUSALS = [
  "not_found",
  "archived",
  "already_in_status",
  "illegal_target",
  "gate_closed",
  "self_duplicate",
  "invalid_transition",
  "no_next_step",
  "no_pipeline",
  "already_dispatched",
] as const;
export type BulkRefusal = (typeof BULK_REFUSALS)[number];

/** Why and how a change is made, whatever its tasks are. */
export interface BulkTerms {
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
}

/** A pipeline that runs for one task, or would run if the caller opted in. */
export interface AskedPipeline {
  name: Pipeline;
  /** It was asked for before and will not be again. */
  again: boolean;
}

export type Judgement =
  | { ok: true; to: UnifiedStatus; change: Decision; pipelines: readonly AskedPipeline[] }
  | { ok: false; code: BulkRefusal; pipelines?: readonly AskedPipeline[] };

/** Statuses out of which `retry` brings a step. */
export const RETRIED_STATUSES = ["failed", "cancelled"] as const satisfies readonly StepStatus[];

/** Judges what a bulk change makes of one task, whoever asks: preview and execution look alike. */
export function judge(
  snapshot: TaskSnapshot,
  intent: BulkIntent,
  terms: BulkTerms,
  newId: () => string,
): Judgement {
  if (snapshot.archivedAt !== null) return { ok: false, code: "archived" };
  if (intent.targetStatus !== undefined) {
    return judgeTarget(snapshot, intent.targetStatus, terms, newId);
  }
  if (intent.action === "run_pipelines") return judgePipelines(snapshot, newId);
  return judgeCommand(snapshot, commandOf(intent, terms), newId);
}

function judgeTarget(
  snapshot: TaskSnapshot,
  to: BulkTarget,
  terms: BulkTerms,
  newId: () => string,
): Judgement {
  const from = resolve(factsOf(snapshot));
  if (from === to) return { ok: false, code: "already_in_status" };
  if (!BULK_ALLOWED_TARGETS[from].includes(to)) return { ok: false, code: "illegal_target" };
  const moved = moveStep(snapshot.step, BULK_STEP_STATUS[to]);
  if (!moved.ok) {
    const isClosed = moved.refusal.code === "gate_closed";
    return { ok: false, code: isClosed ? "gate_closed" : "illegal_target" };
  }
  if (terms.duplicateOf === snapshot.id) return { ok: false, code: "self_duplicate" };

  const { reason, duplicateOf, runAttachedWorkflows } = terms;
  const command = { reason, duplicateOf: duplicateOf ?? undefined, runAttachedWorkflows };
  const attached = PIPELINES_ON_TARGET[to];
  const change: Decision = {
    ...transitionTo(moved.value, snapshot, command, "bulk_transitioned"),
    dispatches: dispatchesOf(runAttachedWorkflows ? attached : [], moved.value, newId),
  };
  return { ok: true, to, change, pipelines: askedOf(attached, snapshot.alreadyDispatched) };
}

/** Dispatches alone: for steps that wait for a pipeline which nobody asked for yet. */
function judgePipelines(snapshot: TaskSnapshot, newId: () => string): Judgement {
  const { step, alreadyDispatched } = snapshot;
  const attached = pipelinesAttachedTo(step);
  const pipelines = askedOf(attached, alreadyDispatched);
  if (attached.length === 0) return { ok: false, code: "no_pipeline" };
  const missing = attached.filter((name) => !alreadyDispatched.includes(name));
  if (missing.length === 0) return { ok: false, code: "already_dispatched", pipelines };
  const change = { ...NO_CHANGES, dispatches: dispatchesOf(missing, step, newId) };
  return { ok: true, to: resolve(factsOf(snapshot)), change, pipelines };
}

/** The command that the single route would be given; `retry` is one out of two statuses alone. */
function commandOf(
  intent: Exclude<BulkIntent, { targetStatus: BulkTarget } | { action: "run_pipelines" }>,
  { reason, runAttachedWorkflows }: BulkTerms,
): Command & { type: "advance" | "transition" | "edit" } {
  switch (intent.action) {
    case "advance":
      return { type: "advance", reason, runAttachedWorkflows };
    case "retry":
      return { type: "transition", status: "queued", reason, runAttachedWorkflows };
    case "edit":
      return { type: "edit", changes: intent.changes, reason };
  }
}

/** The right to change in bulk includes that to each single change: this actor stands for whoever has it. */
const PERMITTED = { id: "bulk", name: "bulk", kind: "system", role: "reviewer" } as const;

/** When a change is applied in thought, no label depends on the time. */
const SOME_TIME = "";

function judgeCommand(
  snapshot: TaskSnapshot,
  command: ReturnType<typeof commandOf>,
  newId: () => string,
): Judgement {
  const { status } = snapshot.step;
  const isRetry = command.type === "transition";
  if (isRetry && status !== command.status && !RETRIED_STATUSES.some((one) => one === status)) {
    return { ok: false, code: "invalid_transition" };
  }
  const decided = decide(snapshot, command, { actor: PERMITTED, newId });
  if (!decided.ok) return { ok: false, code: refusalOf(decided.refusal.code) };
  const change = decided.value;
  if (change.events.length === 0) return { ok: false, code: "already_in_status" };

  const after = apply(snapshot, change, SOME_TIME);
  const hasMoved = after.step.id !== snapshot.step.id || after.step.status !== status;
  const attached = hasMoved ? pipelinesAttachedTo(after.step) : [];
  // What was asked for on behalf of the step that is left says nothing about the one that is opened.
  const before = change.step === null ? snapshot.alreadyDispatched : [];
  const pipelines = askedOf(attached, before);
  return { ok: true, to: resolve(factsOf(after)), change, pipelines };
}

function askedOf(attached: readonly Pipeline[], before: readonly Pipeline[]): AskedPipeline[] {
  return attached.map((name) => ({ name, again: before.includes(name) }));
}

/** The single route's own code. */
function refusalOf(code: string): BulkRefusal {
  const known = BULK_REFUSALS.find((one) => one === code);
  if (known === undefined) throw new Error(`No row of a bulk change is refused as ${code}`);
  return known;
}
