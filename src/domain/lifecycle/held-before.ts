import * as z from "zod";
import { holdChange } from "./events.ts";
import type { DeferredReport, Hold, StepSnapshot } from "./snapshot.ts";

const payloads = z.object(holdChange).nullable();

/**
 * Returns the hold that a step had before an event, and the deferred reports that the event dropped. `step` is the step
 * after the event. An event that changed neither leaves the step's own hold.
 */
export function heldBefore(
  payload: unknown,
  step: Pick<StepSnapshot, "hold">,
): { hold: Hold | null; deferredAgain: DeferredReport[] | undefined } {
  const { hold, settled } = payloads.parse(payload) ?? {};
  return {
    hold: hold === undefined ? step.hold : hold.from,
    deferredAgain: settled?.map(({ runId, seq, statuses, verdict }) => ({
      runId,
      seq,
      statuses,
      verdict,
    })),
  };
}
