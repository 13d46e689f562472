import type { Outcome } from "../../refusals.ts";
import {
  succeed,
  alreadyInStatus,
  invalidTransition,
  refuse,
  validationFailed,
} from "../../refusals.ts";
import type { GateCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { allowedGatesByHand } from "../gates.ts";
import { gateNeedsReason, missingReason } from "../reasons.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventBetween } from "./events.ts";
import { refusalOfTarget } from "./target.ts";

/** Changes the gate of the current step by hand. Gates that are verdicts only follow from a status. */
export function decideGate(snapshot: TaskSnapshot, command: GateCommand): Outcome<Decision> {
  const { step } = snapshot;
  const { gate } = command;
  const targetRefusal = refusalOfTarget(snapshot, command.target);
  if (targetRefusal) return refuse(targetRefusal);
  if (gate === step.gate) return refuse(alreadyInStatus(`The gate is already ${gate}.`));
  const allowed = allowedGatesByHand(step.status, step.gate);
  if (!allowed.includes(gate)) {
    const subject = "a gate that is set by hand";
    return refuse(invalidTransition({ subject, from: step.gate, to: gate, allowed }));
  }
  if (gateNeedsReason(gate, step)) {
    const message = `Changing the gate from ${step.gate} to ${gate} requires a reason.`;
    const missing = missingReason(command.reason, message);
    if (missing) return refuse(validationFailed(missing));
  }
  return succeed({
    ...NO_CHANGES,
    events: [eventBetween("gate_changed", step, { ...step, gate }, {}, command)],
  });
}
