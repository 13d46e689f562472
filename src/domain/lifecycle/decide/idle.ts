import type { Decision } from "../decision.ts";
import { isIdle, stagePipeline } from "../idle.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { isDeferring } from "./deferral.ts";
import { eventOn } from "./events.ts";

/**
 * Records that the current step is idle: it is running in a stage that a pipeline works on, and no run of it is open.
 * Decides nothing if it is not, if a person holds the step or a report waits for that to end, or if it is recorded
 * already. Nothing else changes.
 */
export function decideIdle({ step, openRuns }: TaskSnapshot): Decision {
  const canIdle =
    step.status === "running" &&
    stagePipeline(step.kind) !== null &&
    openRuns.length === 0 &&
    !isDeferring(step) &&
    step.deferred.length === 0;
  if (!canIdle || isIdle(step)) return NO_CHANGES;
  return { ...NO_CHANGES, events: [eventOn("step_idled", step, {})], needsNoRun: true };
}
