import type { Outcome } from "../../refusals.ts";
import { succeed, alreadyInStatus, gateClosed, invalidTransition, refuse } from "../../refusals.ts";
import { gateAfter } from "../gates.ts";
import { isIdle } from "../idle.ts";
import type { StepSnapshot } from "../snapshot.ts";
import type { StepStatus } from "../statuses.ts";
import { allowedNext } from "../transitions.ts";

/**
 * Returns the steps that a person's change of status leads through, or a refusal: one, or two for a retry of an idle
 * step, which fails first because no one finished its work.
 */
export function pathTo(step: StepSnapshot, status: StepStatus): Outcome<readonly StepSnapshot[]> {
  const failed = isIdle(step) && status === "queued" ? moveStep(step, "failed") : null;
  const last = moveStep(failed?.ok ? failed.value : step, status);
  return last.ok ? succeed(failed?.ok ? [failed.value, last.value] : [last.value]) : last;
}

/** Returns the step after a change of status, or a refusal. Every change of status except a revert uses this function. */
export function moveStep(step: StepSnapshot, status: StepStatus): Outcome<StepSnapshot> {
  if (step.status === status) return refuse(alreadyInStatus(`The step is already ${status}.`));
  const allowed = allowedNext(step.kind, step.status);
  if (!allowed.includes(status)) {
    const subject = `the ${step.kind} step`;
    return refuse(invalidTransition({ subject, from: step.status, to: status, allowed }));
  }
  const after = gateAfter(step, status);
  if (after === "gate_closed") {
    return refuse(
      gateClosed({
        detail: `The step is held. End the hold before the step becomes ${status}.`,
        gate: step.gate,
        allowed: allowed.filter((next) => gateAfter(step, next) !== after),
      }),
    );
  }
  return succeed({ ...step, status, ...after });
}
