import { stringify } from "safe-stable-stringify";
import type { Decision, NewEvent } from "../../domain/lifecycle/decision.ts";

// The parts of a decision as rows, which the writing statements read with json_to_recordset.

export function eventRows(taskId: string, events: readonly NewEvent[]) {
  return events.map((event, index) => ({
    task_id: taskId,
    ordinal: index + 1,
    version_id: event.versionId,
    step_id: event.stepId,
    type: event.type,
    from_status: event.fromStatus,
    to_status: event.toStatus,
    from_gate: event.fromGate,
    to_gate: event.toGate,
    reason: event.reason,
    // Canonical JSON, passed on as text, because the hash is over exactly these bytes.
    payload: stringify(event.payload),
    duplicate_of: event.duplicateOf,
    run_attached_workflows: event.runAttachedWorkflows,
  }));
}

export function versionRows(taskId: string, { version }: Decision) {
  if (version === null) return [];
  const { id, number, content, contentHash, reason } = version;
  return [{ id, task_id: taskId, number, content, content_hash: contentHash, reason }];
}

export function stepRows({ step }: Decision) {
  return step === null ? [] : [{ id: step.id, kind: step.kind, attempt: step.attempt }];
}

export function dispatchRows(taskId: string, { dispatches }: Decision) {
  return dispatches.map((dispatch) => ({
    id: dispatch.id,
    pipeline: dispatch.pipeline,
    task_id: taskId,
    version_id: dispatch.versionId,
    step_id: dispatch.stepId,
  }));
}
