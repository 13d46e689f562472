import { EVENT_PAYLOADS } from "./events.ts";
import type { NewEvent } from "./decision.ts";
import { idledSeqAfter } from "./idle.ts";
import type { DeferredReport, StepSnapshot, TaskSnapshot } from "./snapshot.ts";

/** What a step's own event says about the state of the step. */
type StepEvent = Pick<NewEvent, "type" | "toStatus" | "toGate"> & { seq: number; payload: unknown };

/** Returns a step after an event that names it. The event does not open the step. */
export function stepAfter(before: StepSnapshot, event: StepEvent): StepSnapshot {
  const { type, seq, toStatus } = event;
  const after = {
    ...before,
    status: toStatus,
    gate: event.toGate,
    idledSeq: idledSeqAfter(before.idledSeq, { type, seq, fromStatus: before.status, toStatus }),
  };
  // Most events change neither, and parsing their payloads would be most of the work of a fold.
  if (!touchesHold(event)) return after;
  switch (event.type) {
    case "gate_changed":
    case "step_transitioned":
    case "bulk_transitioned": {
      const { hold, settled } = EVENT_PAYLOADS[event.type].parse(event.payload);
      return {
        ...after,
        ...(hold && { hold: hold.to }),
        ...(settled && { deferred: without(before.deferred, settled) }),
      };
    }
    case "bulk_reverted":
    case "review_withdrawn": {
      const { hold, deferredAgain } = EVENT_PAYLOADS[event.type].parse(event.payload);
      return {
        ...after,
        ...(hold && { hold: hold.to }),
        ...(deferredAgain && { deferred: deferredAgain }),
      };
    }
    case "worker_run_changed": {
      const { run, deferred } = EVENT_PAYLOADS.worker_run_changed.parse(event.payload);
      if (deferred === undefined) return after;
      const report = { runId: run.id, seq: event.seq, ...deferred };
      return { ...after, deferred: [...without(before.deferred, [report]), report] };
    }
    default:
      return after;
  }
}

/** Returns true if an event changes a hold or deferred reports, of its own step or of the one that it leaves. */
export function touchesHold({ payload }: { payload: unknown }): boolean {
  if (typeof payload !== "object" || payload === null) return false;
  return ["hold", "settled", "deferred", "deferredAgain"].some((member) => member in payload);
}

/** Returns the current step after the new events of a decision that name it. */
export function currentStepAfter(
  { step, eventSeq }: Pick<TaskSnapshot, "step" | "eventSeq">,
  events: readonly NewEvent[],
): StepSnapshot {
  return events.reduce(
    (before, event, index) =>
      event.stepId === step.id
        ? stepAfter(before, { ...event, seq: eventSeq + index + 1 })
        : before,
    step,
  );
}

/** Returns the reports of other runs. */
function without(
  reports: readonly DeferredReport[],
  runs: readonly { runId: string }[],
): DeferredReport[] {
  return reports.filter(({ runId }) => !runs.some((run) => run.runId === runId));
}
