import type { Outcome } from "../../refusals.ts";
import {
  alreadyInStatus,
  gateClosed,
  invalidTransition,
  refuse,
  type Refusal,
  succeed,
  validationFailed,
} from "../../refusals.ts";
import type { GateCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { allowedGatesByHand, endsHold, gateWithoutHold, isHeld } from "../gates.ts";
import { gateNeedsReason, missingReason } from "../reasons.ts";
import type { StepSnapshot, TaskSnapshot } from "../snapshot.ts";
import type { GateState } from "../statuses.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventBetween } from "./events.ts";
import { refusalOfTarget } from "./target.ts";

/**
 * Changes the gate of the current step by hand. Gates that are verdicts only follow from a status. `blocked` holds the
 * step, and the gate that it would have without the hold ends the hold.
 */
export function decideGate(snapshot: TaskSnapshot, command: GateCommand): Outcome<Decision> {
  const { step } = snapshot;
  const { gate } = command;
  const refusal = refusalOfTarget(snapshot, command.target) ?? refusalOfGate(step, gate);
  if (refusal) return refuse(refusal);
  if (gateNeedsReason(gate, step)) {
    const message = `Changing the gate from ${step.gate} to ${gate} requires a reason.`;
    const missing = missingReason(command.reason, message);
    if (missing) return refuse(validationFailed(missing));
  }
  const isHold = gate === "blocked" && !isHeld(step);
  const hold = isHold ? { seq: snapshot.eventSeq + 1, gate: step.gate } : null;
  return succeed({
    ...NO_CHANGES,
    events: [eventBetween("gate_changed", step, { ...step, gate, hold }, {}, command)],
  });
}

/** Returns why a person cannot set this gate now, or null. */
function refusalOfGate(step: StepSnapshot, gate: GateState): Refusal | null {
  const allowed = allowedGatesByHand(step);
  if (allowed.includes(gate)) return null;
  if (gate === step.gate) return alreadyInStatus(`The gate is already ${gate}.`);
  if (isDecision(step, gate)) {
    const detail = `The step is held. End the hold before the gate becomes ${gate}.`;
    return gateClosed({ detail, gate: step.gate, allowed });
  }
  const subject = "a gate that is set by hand";
  return invalidTransition({ subject, from: step.gate, to: gate, allowed });
}

/** Returns true if the gate would be a decision on a step that is held. */
function isDecision(step: StepSnapshot, gate: GateState): boolean {
  if (!isHeld(step) || endsHold(step, gate)) return false;
  if (gate === "revoked") return gateWithoutHold(step) === "waived";
  return gate === "waived" || gate === "errored";
}
