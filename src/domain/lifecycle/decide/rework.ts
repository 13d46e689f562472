import type { Outcome } from "../../refusals.ts";
import { succeed, invalidTransition, refuse } from "../../refusals.ts";
import type { DecisionContext, ReworkCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { GATE_ON_STATUS, isGateOpen } from "../gates.ts";
import { NOT_HELD, type StepSnapshot, type TaskSnapshot } from "../snapshot.ts";
import { STEP_KINDS } from "../statuses.ts";
import { isKindFrom, kindsUpTo } from "../transitions.ts";
import { dispatchesOnEntry, identityOf, leave, NO_CHANGES, nextAttempt } from "./changes.ts";
import { eventBetween, eventOpening } from "./events.ts";

/**
 * Opens a new attempt of the same or an earlier stage. Revokes the open gates from that stage on, because their work is
 * repeated. Earlier attempts do not change otherwise.
 */
export function decideRework(
  snapshot: TaskSnapshot,
  command: ReworkCommand,
  context: Pick<DecisionContext, "newId">,
): Outcome<Decision> {
  const { step, steps, openRuns } = snapshot;
  const { toKind, reason } = command;
  const allowed = kindsUpTo(step.kind);
  if (!allowed.includes(toKind)) {
    const subject = "rework of this task";
    return refuse(invalidTransition({ subject, from: step.kind, to: toKind, allowed }));
  }

  const revoked = steps
    .toSorted(inStageOrder)
    .filter(({ kind, gate }) => isKindFrom(kind, toKind) && isGateOpen(gate))
    .map((open) =>
      eventBetween("gate_changed", open, { ...open, gate: "revoked" }, {}, { reason }),
    );
  const opened: StepSnapshot = {
    id: context.newId(),
    versionId: step.versionId,
    kind: toKind,
    attempt: nextAttempt(steps, toKind),
    status: "queued",
    gate: GATE_ON_STATUS.queued,
    ...NOT_HELD,
  };
  const left = leave(step, openRuns);
  const payload = {
    opened: { kind: toKind, attempt: opened.attempt, fromStepId: step.id },
    cancelledRuns: left.runs.map(({ id }) => id),
  };
  return succeed({
    ...NO_CHANGES,
    ...left,
    events: [...revoked, eventOpening("step_reworked", opened, payload, command)],
    step: identityOf(opened),
    dispatches: dispatchesOnEntry(opened, command.runAttachedWorkflows, context.newId),
  });
}

function inStageOrder(one: StepSnapshot, other: StepSnapshot): number {
  return (
    STEP_KINDS.indexOf(one.kind) - STEP_KINDS.indexOf(other.kind) || one.attempt - other.attempt
  );
}
