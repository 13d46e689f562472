import { stringify } from "safe-stable-stringify";
import type { EvalDecision } from "../../domain/evals/decision.ts";
import { isSameSlotBy, MODEL_ALONE, type SlotBy } from "../../domain/evals/slot.ts";

// Each function turns one part of an eval decision into the rows that the writer reads with json_to_recordset.

export function changeRows({ evalId, seenStatus, raises }: EvalDecision) {
  if (seenStatus === null) return [];
  return [{ eval_id: evalId, seen_status: seenStatus, seen_k: raises?.seenK ?? null }];
}

/** An object, because the statement looks each eval up in it. */
export function raisedKs(decisions: readonly EvalDecision[]): Record<string, number> {
  return Object.fromEntries(
    decisions.flatMap(({ evalId, raises }) => (raises === null ? [] : [[evalId, raises.k]])),
  );
}

export function openingRows({ evalId, opens, slotBy }: EvalDecision) {
  if (opens === null) return [];
  const { taskId, versionId, name, k } = opens;
  const version = { task_id: taskId, version_id: versionId };
  return [{ eval_id: evalId, ...version, name, k, slot_by: storedSlotBy(slotBy) }];
}

/** A decision about an eval, and its planned time if the tenant has a simulated clock. */
export type PlannedEvalDecision = EvalDecision & { at?: string | undefined };

export function evalEventRows({ evalId, events, at }: PlannedEvalDecision) {
  return events.map((event, index) => ({
    eval_id: evalId,
    ordinal: index + 1,
    trial_id: event.trialId,
    type: event.type,
    from_status: event.fromStatus,
    to_status: event.toStatus,
    reason: event.reason,
    // Canonical JSON, and text from here on, because the hash covers its exact bytes.
    payload: stringify(event.payload),
    ...(at !== undefined && { planned_at: at }),
  }));
}

/** Null is how the database stores the model alone. */
function storedSlotBy(slotBy: SlotBy): SlotBy | null {
  return isSameSlotBy(slotBy, MODEL_ALONE) ? null : slotBy;
}

export function trialRows({ evalId, slotBy, trials }: EvalDecision) {
  return trials.map((trial, position) => ({
    position,
    id: trial.id,
    eval_id: evalId,
    slot_by: storedSlotBy(slotBy),
    k: trial.k,
    model: trial.model,
    model_revision: trial.modelRevision,
    agent: trial.agent,
    agent_revision: trial.agentRevision,
    provider: trial.provider,
    status: trial.status,
    score: trial.score,
    error: trial.error,
    output_data_id: trial.outputDataId,
  }));
}

export function trialChangeRows({ evalId, change }: EvalDecision) {
  if (change === null) return [];
  const { id, seenSeq, result, retractReason } = change;
  return [
    {
      id,
      eval_id: evalId,
      seen_seq: seenSeq,
      status: result.status,
      score: result.score,
      error: result.error,
      output_data_id: result.outputDataId,
      retract_reason: retractReason,
    },
  ];
}

export function insightRows({ evalId, insights }: EvalDecision) {
  return insights.map((insight) => ({
    id: insight.id,
    eval_id: evalId,
    trial_id: insight.trialId,
    model: insight.model,
    model_revision: insight.modelRevision,
    agent: insight.agent,
    agent_revision: insight.agentRevision,
    provider: insight.provider,
    status: insight.status,
    usage: insight.usage,
  }));
}
