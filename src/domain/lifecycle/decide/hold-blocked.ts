import type { Decision } from "../decision.ts";
import { gateWithoutHold, isHeld } from "../gates.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventBetween } from "./events.ts";

/**
 * Holds a step that was blocked by hand before holds existed. Its gate stays blocked. Returns null if there is nothing to
 * do: the step is held, or was unblocked since.
 */
export function holdBlocked(
  { step, eventSeq }: TaskSnapshot,
  circumstances: { reason: string },
): Decision | null {
  if (step.hold !== null || !isHeld(step)) return null;
  const held = { ...step, hold: { seq: eventSeq + 1, gate: gateWithoutHold(step) } };
  return { ...NO_CHANGES, events: [eventBetween("gate_changed", step, held, {}, circumstances)] };
}
