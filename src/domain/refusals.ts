import type { Role } from "./actor.ts";

/**
 * Every expected "no", with the members that its answer promises. A refusal is a value: preview collects a
 * thousand of them. Status numbers are chosen in routes/http/problem.ts alone.
 */
export interface RefusalData {
  forbidden: { required: Role };
  not_found: object;
  validation_failed: { issues: Issue[] };
  invalid_transition: { from: string; to: string; allowed: readonly string[] };
  gate_closed: { gate: string; allowed: readonly string[] };
  no_next_step: object;
  already_in_status: { done: true };
  step_not_current: { currentStepId: string };
  version_sealed: { activeVersion: { id: string; number: number } };
  archived: object;
  stale: object;
  lease_lost: object;
  version_conflict: { eventSeq: number };
  conflict: { existing: { id: string } };
  plan_stale: { changed: { taskId: string; unifiedStatus: string | null; code: string | null }[] };
  plan_expired: object;
  not_revertible: object;
  invalid_plan_token: object;
  invalid_cursor: object;
  operation_in_progress: object;
  idempotency_key_reused: object;
  too_many_items: { max: number };
  url_not_allowed: object;
  unsupported_media_type: object;
  range_not_satisfiable: { sizeBytes: number };
}
export type RefusalCode = keyof RefusalData;

/** One fault of the input: where, which rule, in words. */
export interface Issue {
  path: (string | number)[];
  code: string;
  message: string;
}

/** A command that a task would accept in its present state. */
export type LawfulCommand =
  | { type: "transition"; status: string; needsReason: boolean }
  | { type: "gate"; gate: string }
  | { type: "advance" }
  | { type: "rework"; toKind: string; needsReason: true }
  | { type: "restore" };

/** The commands that a task and its current step would accept. */
export interface LawfulCommands {
  taskId: string;
  stepId: string;
  commands: readonly LawfulCommand[];
}

export type Refusal = {
  [Code in RefusalCode]: { code: Code; detail: string; next?: LawfulCommands } & RefusalData[Code];
}[RefusalCode];

/** What a decision or an action gives back: the value, or the reason why not. */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; refusal: Refusal };

export const succeed = <Value>(value: Value): Outcome<Value> => ({ ok: true, value });
export const refuse = (refusal: Refusal): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal,
});

/** Codes of refusals that a task's present state is the cause of: they tell what would be lawful now. */
export const STATE_REFUSALS = [
  "invalid_transition",
  "gate_closed",
  "no_next_step",
  "already_in_status",
  "step_not_current",
  "version_sealed",
  "archived",
] as const satisfies readonly RefusalCode[];

/** The caller's role may not do this, whether or not the thing exists. */
export function forbidden(required: Role): Refusal {
  return { code: "forbidden", detail: `This takes the role ${required}.`, required };
}

/** Unknown here: never created, or of another tenant, which is told in the same words. */
export function notFound(): Refusal {
  return { code: "not_found", detail: "There is nothing here under this id." };
}

/** The input breaks rules that only the domain can judge. */
export function validationFailed(...issues: Issue[]): Refusal {
  return {
    code: "validation_failed",
    detail: issues.map(({ message }) => message).join(" "),
    issues,
  };
}

/** The tables lead from here only to `allowed`. */
export function invalidTransition(move: {
  /** What is to move, in words: "a pre_qa step". */
  subject: string;
  from: string;
  to: string;
  allowed: readonly string[];
}): Refusal {
  const { subject, from, to, allowed } = move;
  const ways = allowed.length === 0 ? "There is no way on." : `It can go to ${inWords(allowed)}.`;
  const detail = `${capitalised(subject)} cannot go from ${from} to ${to}. ${ways}`;
  return { code: "invalid_transition", detail, from, to, allowed };
}

/** A gate stands in the way; `allowed` is what the call would have accepted in its place. */
export function gateClosed(closed: {
  detail: string;
  gate: string;
  allowed: readonly string[];
}): Refusal {
  return { code: "gate_closed", ...closed };
}

/** The task is in its last stage. */
export function noNextStep(): Refusal {
  return {
    code: "no_next_step",
    detail: "Delivery is the last stage: there is none to advance to.",
  };
}

/** Nothing is left to do, which a caller that repeats itself may take for success. */
export function alreadyInStatus(detail: string): Refusal {
  return { code: "already_in_status", detail, done: true };
}

/** Only the step that the task points at can change. */
export function stepNotCurrent(currentStepId: string): Refusal {
  return {
    code: "step_not_current",
    detail: "This step is not the task's current one, and only that one can change.",
    currentStepId,
  };
}

/** A superseded version and its steps never change again. */
export function versionSealed(activeVersion: { id: string; number: number }): Refusal {
  return {
    code: "version_sealed",
    detail: `This step is of a sealed version. The active version is number ${activeVersion.number}.`,
    activeVersion: { id: activeVersion.id, number: activeVersion.number },
  };
}

/** The task was put away. */
export function archived(): Refusal {
  return { code: "archived", detail: "The task is archived. It can be restored." };
}

/** The run was handed to somebody else since, or may be at any moment. */
export function leaseLost(detail: string): Refusal {
  return { code: "lease_lost", detail };
}

/** The external id is another task's. */
export function externalIdTaken(holderId: string): Refusal {
  return {
    code: "conflict",
    detail: "Another task has this external id.",
    existing: { id: holderId },
  };
}

/** What one maker made at one step is one thing, however often it is declared. */
export function alreadyDeclared(holderId: string): Refusal {
  return {
    code: "conflict",
    detail:
      "This content is declared on this step already, as data of this kind and by this maker.",
    existing: { id: holderId },
  };
}

/** What was uploaded is not what was declared. */
export function contentMismatch(
  fault: "wrong_length" | "wrong_content",
  declared: { sizeBytes: number; sha256: string },
): Refusal {
  const message =
    fault === "wrong_length"
      ? `The content does not have the ${declared.sizeBytes} bytes that were declared.`
      : `The content's SHA-256 is not ${declared.sha256}, as was declared.`;
  return validationFailed({ path: [], code: fault, message });
}

/** The content comes under another type than the one that was declared. */
export function wrongContentType(declared: string): Refusal {
  return {
    code: "unsupported_media_type",
    detail: `This content was declared as ${declared}. Send it as that, or without a type.`,
  };
}

/** A part was asked for that begins beyond the end. */
export function rangeNotSatisfiable(sizeBytes: number): Refusal {
  return {
    code: "range_not_satisfiable",
    detail: `The content has ${sizeBytes} bytes, and the range that was asked for none of them.`,
    sizeBytes,
  };
}

/** The plan was signed for another body, or is no plan. */
export function invalidPlanToken(): Refusal {
  return { code: "invalid_plan_token", detail: "This plan token was not made for this request." };
}

/** The plan is too old to be trusted. */
export function planExpired(): Refusal {
  return { code: "plan_expired", detail: "This plan has expired. A new preview makes a new one." };
}

/** Some tasks moved since the plan was made, and the caller asked to abort then. */
export function planStale(changed: RefusalData["plan_stale"]["changed"]): Refusal {
  const tasks = changed.length === 1 ? "1 task has" : `${changed.length} tasks have`;
  return {
    code: "plan_stale",
    detail: `${tasks} changed since the plan was made. Nothing was written.`,
    changed,
  };
}

/** The service does not call this address. */
export function urlNotAllowed(detail: string): Refusal {
  return { code: "url_not_allowed", detail };
}

/** The bulk operation cannot be taken back; the sentence says why. */
export function notRevertible(detail: string): Refusal {
  return { code: "not_revertible", detail };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "a", "a or b", "a, b or c". */
function inWords(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}
