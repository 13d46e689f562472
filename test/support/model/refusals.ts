import { expect } from "vitest";
import type { Role } from "../../../src/domain/actor.ts";
import type { Command } from "../../../src/domain/lifecycle/commands.ts";
import {
  type Original,
  originalEnded,
  originalFault,
} from "../../../src/domain/lifecycle/duplicates.ts";
import { refusalOfTarget } from "../../../src/domain/lifecycle/decide/target.ts";
import type { StepSnapshot } from "../../../src/domain/lifecycle/snapshot.ts";
import { isIdle, pipelinesWaitedFor } from "../../../src/domain/lifecycle/idle.ts";
import { PIPELINES } from "../../../src/domain/pipelines/pipelines.ts";
import {
  archived,
  forbidden,
  invalidTransition,
  notFound,
  type Refusal,
  validationFailed,
} from "../../../src/domain/refusals.ts";
import { isPermitted, requiredRole, type Right } from "../../../src/domain/rights.ts";
import { lawfulCalls } from "../../../src/routes/http/lawful-calls.ts";
import type { Answer } from "../api.ts";
import { targetOf, UNKNOWN_ID } from "./command-calls.ts";
import type { WishTo } from "./random-calls.ts";
import type { TaskModel } from "./task-model.ts";

/** Expects the problem of a refusal with all its members, except the wording. */
export function expectRefusal(answer: Answer<unknown>, refusal: Refusal): void {
  const { code, detail: _, next, ...data } = refusal;
  const members = next === undefined ? data : { ...data, next: lawfulCalls(next) };
  // If the route already refuses the role, the problem names the role that the route requires.
  const expected = code === "forbidden" || code === "validation_failed" ? {} : members;
  expect(answer.body).toMatchObject({ error: code, ...expected });
  expect(answer.status).toBeGreaterThanOrEqual(400);
}

export function originalOfCommand(command: Command): string | undefined {
  if (command.type === "transition") return command.duplicateOf?.id;
  return command.type === "review" ? command.move?.duplicateOf?.id : undefined;
}

/** Returns why a bulk change cannot name its original, whatever its tasks; null if it can. */
export function refusalOfOriginal(target: string, original: Original | undefined): Refusal | null {
  if (original === undefined) return null;
  if (target !== "DUPLICATE") {
    const message = "duplicateOf is only allowed with the target DUPLICATE.";
    return validationFailed({ path: ["duplicateOf"], code: "not_applicable", message });
  }
  if (original.id === UNKNOWN_ID) return notFound();
  const fault = originalFault(original);
  return fault === null ? null : originalEnded(original.id, fault);
}

export function refusalOfDispatch(
  model: TaskModel,
  step: StepSnapshot,
  { pipeline, as }: { pipeline: WishTo<"dispatch">["pipeline"]; as: Role },
): Refusal | null {
  const right: Right = "dispatch";
  if (!isPermitted(as, right)) return forbidden(requiredRole(right));
  if (model.snapshot.archivedAt !== null) return archived();
  const targetRefusal = refusalOfTarget(model.snapshot, targetOf(step));
  if (targetRefusal !== null) return targetRefusal;
  const allowed = pipelinesWaitedFor(step);
  if (!allowed.includes(pipeline)) {
    return invalidTransition({ subject: "", from: step.status, to: pipeline, allowed });
  }
  const { worker } = PIPELINES[pipeline];
  const run = isIdle(step) && model.snapshot.openRuns.find(({ type }) => type === worker);
  if (run) return { code: "conflict", detail: "", existing: { id: run.id } };
  const open = model.openDispatch(pipeline, targetOf(step));
  if (open === null) return null;
  return { code: "conflict", detail: "", existing: { id: open.id ?? expect.any(String) } };
}

export function takenBy({ id }: TaskModel): Refusal {
  return { code: "conflict", detail: "", existing: { id } };
}
