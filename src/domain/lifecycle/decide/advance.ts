import type { Outcome } from "../../refusals.ts";
import { succeed, gateClosed, noNextStep, refuse } from "../../refusals.ts";
import type { AdvanceCommand, DecisionContext } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { GATE_ON_STATUS, isGateOpen, OPEN_GATES } from "../gates.ts";
import { NOT_HELD, type StepSnapshot, type TaskSnapshot } from "../snapshot.ts";
import { isFailureInTheWay } from "../standing.ts";
import { nextKind } from "../transitions.ts";
import { dispatchesOnEntry, identityOf, leave, NO_CHANGES, nextAttempt } from "./changes.ts";
import { eventOpening } from "./events.ts";

/** Opens a step of the next stage. Rejects the command if the gate is not open, or a failed review stands against the step. */
export function decideAdvance(
  snapshot: TaskSnapshot,
  command: AdvanceCommand,
  context: Pick<DecisionContext, "newId">,
): Outcome<Decision> {
  const { step, steps, openRuns, reviews } = snapshot;
  const kind = nextKind(step.kind);
  if (kind === null) return refuse(noNextStep());
  if (!isGateOpen(step.gate)) {
    const detail = `The gate of the ${step.kind} step is ${step.gate}. A task can advance only if the gate is passed or waived.`;
    return refuse(gateClosed({ detail, gate: step.gate, allowed: OPEN_GATES }));
  }
  if (isFailureInTheWay(step.gate, reviews)) {
    const detail = `A review of the ${step.kind} step failed, and no later review passed. A task can advance only if a later review passes or the gate is waived.`;
    return refuse(gateClosed({ detail, gate: step.gate, allowed: ["waived"] }));
  }

  const status = command.hold === true ? "pending" : "queued";
  const opened: StepSnapshot = {
    id: context.newId(),
    versionId: step.versionId,
    kind,
    attempt: nextAttempt(steps, kind),
    status,
    gate: GATE_ON_STATUS[status],
    ...NOT_HELD,
  };
  const left = leave(step, openRuns);
  const payload = {
    opened: { kind, attempt: opened.attempt, fromStepId: step.id },
    cancelledRuns: left.runs.map(({ id }) => id),
  };
  return succeed({
    ...NO_CHANGES,
    ...left,
    events: [eventOpening("step_advanced", opened, payload, command)],
    step: identityOf(opened),
    dispatches: dispatchesOnEntry(opened, command.runAttachedWorkflows, context.newId),
  });
}
