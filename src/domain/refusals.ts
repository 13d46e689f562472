import type { Role } from "./actor.ts";
import type { DataKind } from "./data/kinds.ts";

/**
 * The codes of refusals, with the members of each. A refusal is an expected failure, so it is a value and not an
 * exception: a preview collects one for each refused task. Only routes/http/problem.ts chooses HTTP status numbers.
 */
export interface RefusalData {
  unauthenticated: object;
  forbidden: { required: Role };
  not_a_demo: object;
  not_found: object;
  validation_failed: { issues: Issue[] };
  invalid_transition: { from: string; to: string; allowed: readonly string[] };
  gate_closed: { gate: string; allowed: readonly string[] };
  no_next_step: object;
  already_in_status: { done: true };
  /** `draft` is the text of a review that was not recorded; null if it has none. Absent for other calls. */
  step_not_current: { currentStepId: string; draft?: string | null };
  version_sealed: { activeVersion: { id: string; number: number } };
  archived: object;
  claim_taken: { leaseUntil: string };
  stale: object;
  lease_lost: object;
  version_conflict: { eventSeq: number };
  /**
   * `differs` and `taken` describe the trials that hold the slots of a call. `namedBy` are the duplicates that prevent a
   * move; `isNamedByMore` says that there are more than it lists.
   */
  conflict: {
    existing?: { id: string; sizeBytes?: number; sha256?: string };
    differs?: readonly FieldDifference[];
    taken?: readonly TakenSlot[];
    namedBy?: readonly string[];
    isNamedByMore?: boolean;
  };
  plan_stale: { changed: { taskId: string; unifiedStatus: string | null; code: string | null }[] };
  plan_expired: object;
  not_revertible: object;
  not_retriable: object;
  invalid_plan_token: object;
  invalid_cursor: object;
  operation_in_progress: object;
  idempotency_key_reused: object;
  too_many_items: { max: number };
  too_many_keys: { max: number };
  key_ended: object;
  last_admin_key: object;
  url_not_allowed: object;
  unsupported_media_type: object;
  payload_too_large: { max: number };
  range_not_satisfiable: { sizeBytes: number };
}
/** A field in which a reported trial differs from the trial on its slot. */
export interface FieldDifference {
  field: string;
  existing: unknown;
  reported: unknown;
}

/** A trial of a list whose slot is taken: by an equal trial, or by another one. */
export interface TakenSlot {
  index: number;
  outcome: "exists" | "conflict";
  existing: { id: string };
  differs: readonly FieldDifference[];
}

export type RefusalCode = keyof RefusalData;

/** One invalid part of the input: its path, the violated rule, and a sentence. */
export interface Issue {
  path: (string | number)[];
  code: string;
  message: string;
}

/** A command that a task would accept in its present state. */
export type LawfulCommand =
  | { type: "transition"; status: string; needsReason: boolean }
  | { type: "gate"; gate: string; needsReason: boolean }
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

/** The result of a decision or an action: the value, or a refusal. */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; refusal: Refusal };

export const succeed = <Value>(value: Value): Outcome<Value> => ({ ok: true, value });
export const refuse = (refusal: Refusal): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal,
});

/** The refusals that the current state of a task causes. Their answers list the lawful commands. */
export const STATE_REFUSALS = [
  "invalid_transition",
  "gate_closed",
  "no_next_step",
  "already_in_status",
  "step_not_current",
  "version_sealed",
  "archived",
] as const satisfies readonly RefusalCode[];

/** The caller's role does not have the right. Does not reveal whether the resource exists. */
export function forbidden(required: Role): Refusal {
  return { code: "forbidden", detail: `This requires the role ${required}.`, required };
}

/** The tenant is not a demo, so nothing in it can be simulated. */
export function notADemo(): Refusal {
  return {
    code: "not_a_demo",
    detail: "This works only in a demo tenant. Nothing was changed.",
  };
}

/** The caller's credential has ended since the request was admitted. */
export function unauthenticated(): Refusal {
  return { code: "unauthenticated", detail: "The credential has ended." };
}

/** The resource does not exist, or belongs to another tenant. The answer is the same for both. */
export function notFound(): Refusal {
  return { code: "not_found", detail: "No resource has this id." };
}

/** The input violates a rule that only the domain can check. */
export function validationFailed(...issues: Issue[]): Refusal {
  return {
    code: "validation_failed",
    detail: issues.map(({ message }) => message).join(" "),
    issues,
  };
}

/** The tables do not allow the move. They only lead to `allowed`. */
export function invalidTransition(move: {
  /** What cannot move, in words: "the pre_qa step". */
  subject: string;
  from: string;
  to: string;
  allowed: readonly string[];
}): Refusal {
  const { subject, from, to, allowed } = move;
  const options =
    allowed.length === 0 ? `Nothing can follow ${from}.` : `It can go to ${inWords(allowed)}.`;
  const detail = `${capitalized(subject)} cannot go from ${from} to ${to}. ${options}`;
  return { code: "invalid_transition", detail, from, to, allowed };
}

/** A gate prevents the move. `allowed` lists what the call would accept instead. */
export function gateClosed(closed: {
  detail: string;
  gate: string;
  allowed: readonly string[];
}): Refusal {
  return { code: "gate_closed", ...closed };
}

/** The task is at its last stage. */
export function noNextStep(): Refusal {
  return {
    code: "no_next_step",
    detail: "The task cannot advance, because delivery is the last stage.",
  };
}

/** The requested state is the current one. A caller that retries can treat this as success. */
export function alreadyInStatus(detail: string): Refusal {
  return { code: "already_in_status", detail, done: true };
}

/** The named step is not the current step of its task. */
export function stepNotCurrent(currentStepId: string): Refusal {
  return {
    code: "step_not_current",
    detail: "Only the current step of a task can change, and this step is not the current one.",
    currentStepId,
  };
}

/** The step that a review names is no longer current. The refusal returns the review's text, so that it is not lost. */
export function reviewedStepNotCurrent(currentStepId: string, draft: string | null): Refusal {
  return {
    code: "step_not_current",
    detail:
      "The review is of a step that is no longer current. Nothing was recorded. `draft` is the review's text.",
    currentStepId,
    draft,
  };
}

/** The named step belongs to an earlier version. Sealed versions and their steps never change. */
export function versionSealed(activeVersion: { id: string; number: number }): Refusal {
  return {
    code: "version_sealed",
    detail: `This step belongs to a sealed version. The active version is number ${activeVersion.number}.`,
    activeVersion: { id: activeVersion.id, number: activeVersion.number },
  };
}

/** The version was sealed or delivered, so what it means cannot change. */
export function takesNoData(
  kind: DataKind,
  activeVersion: { id: string; number: number },
): Refusal {
  return {
    code: "version_sealed",
    detail: `The version is sealed or delivered, so it takes no ${kind} data. Create a new version for it.`,
    activeVersion: { id: activeVersion.id, number: activeVersion.number },
  };
}

/** The task is archived, so it does not accept the command. */
export function archived(): Refusal {
  return { code: "archived", detail: "The task is archived. Restore it first." };
}

/** The caller no longer owns the run: its lease expired, so another worker has the run or can claim it. */
export function leaseLost(detail: string): Refusal {
  return { code: "lease_lost", detail };
}

/** Someone else holds the review of the step. */
export function claimTaken(leaseUntil: string): Refusal {
  return {
    code: "claim_taken",
    detail: "Someone else has claimed the review of this step. Nothing was recorded.",
    leaseUntil,
  };
}

/** The caller no longer holds the claim: it was let go, its lease ran out, or its step has ended or is not current. */
export function claimLost(): Refusal {
  return leaseLost("The caller does not hold this claim any more.");
}

/** Another task has the external id. */
export function externalIdTaken(holderId: string): Refusal {
  return {
    code: "conflict",
    detail: "Another task has this external id.",
    existing: { id: holderId },
  };
}

/** The step already has the data. Content of one kind and maker is declared once per step. */
export function alreadyDeclared(holderId: string): Refusal {
  return {
    code: "conflict",
    detail: "This step already has data with this content, kind and maker.",
    existing: { id: holderId },
  };
}

/** An entry of the taxonomy keeps its level, because the entries below it depend on it. */
export function taxonomyLevelKept(code: string): Refusal {
  return {
    code: "conflict",
    detail: "The taxonomy has this code at another level, and the level of a code cannot change.",
    existing: { id: code },
  };
}

/** An entry of the taxonomy belongs below one of the level above its own. */
export function wrongTaxonomyParent(level: string | null): Refusal {
  const message = `The parent must be a ${level}.`;
  return validationFailed({ path: ["parentCode"], code: "wrong_level", message });
}

/** The taxonomy has as many entries as it may have. */
export function taxonomyFull(max: number): Refusal {
  return { code: "conflict", detail: `The taxonomy has ${max} entries, which is the maximum.` };
}

/** The uploaded content does not match its declaration. */
export function contentMismatch(
  fault: "wrong_length" | "wrong_content",
  declared: { sizeBytes: number; sha256: string },
): Refusal {
  const message =
    fault === "wrong_length"
      ? `The content does not have the declared size of ${declared.sizeBytes} bytes.`
      : `The content does not have the declared SHA-256 ${declared.sha256}.`;
  return validationFailed({ path: [], code: fault, message });
}

/** The content type of the upload is not the declared one. */
export function wrongContentType(declared: string): Refusal {
  return {
    code: "unsupported_media_type",
    detail: `This content was declared as ${declared}. Send that Content-Type, or none.`,
  };
}

/** A stub's stage does not take this content type, or the upload has none. */
export function stubTypeRefused(taken: readonly string[]): Refusal {
  return {
    code: "unsupported_media_type",
    detail: `Objects of this stage have one of the content types ${taken.join(", ")}.`,
  };
}

/** The upload is larger than its ceiling. */
export function payloadTooLarge(max: number): Refusal {
  return {
    code: "payload_too_large",
    detail: `The content is larger than ${max} bytes, which is the maximum here.`,
    max,
  };
}

/** A tenant tells one story at a time. */
export function seedRunOpen(openId: string): Refusal {
  return {
    code: "conflict",
    detail: "Another seed run of this tenant is not over. Let it end, or delete it.",
    existing: { id: openId },
  };
}

/** A story that has ended, or whose run is deleted, goes no further. */
export function seedRunOver(state: string): Refusal {
  return { code: "conflict", detail: `The seed run is ${state}, so its story goes no further.` };
}

/** There is an object under this path. It is described if it could be read. */
export function stubExists(
  path: string,
  found: { sizeBytes: number; sha256: string } | null,
): Refusal {
  return {
    code: "conflict",
    detail: "There is an object under this path, and objects are never overwritten.",
    existing: { id: path, ...found },
  };
}

/** The requested range starts after the end of the content. */
export function rangeNotSatisfiable(sizeBytes: number): Refusal {
  return {
    code: "range_not_satisfiable",
    detail: `The requested range is outside the content, which has ${sizeBytes} bytes.`,
    sizeBytes,
  };
}

/** The token was signed for another request, or is not a plan token. */
export function invalidPlanToken(): Refusal {
  return { code: "invalid_plan_token", detail: "The plan token does not belong to this request." };
}

/** The plan is too old, or was made with other tables. */
export function planExpired(): Refusal {
  return { code: "plan_expired", detail: "The plan has expired. Preview the change again." };
}

/** Tasks have changed since the preview, and the caller asked to abort in that case. */
export function planStale(changed: RefusalData["plan_stale"]["changed"]): Refusal {
  const tasks = changed.length === 1 ? "1 task has" : `${changed.length} tasks have`;
  return {
    code: "plan_stale",
    detail: `${tasks} changed since the preview. Nothing was changed.`,
    changed,
  };
}

/** The tenant has as many working keys as it may have. */
export function tooManyKeys(max: number): Refusal {
  return {
    code: "too_many_keys",
    detail: `${max} API keys work already. Revoke one that is no longer used.`,
    max,
  };
}

/** Later times have no spelling with four digits of the year once they are rounded to microseconds. */
const EXPIRY_MAX = "9999-01-01T00:00:00Z";

/** Returns why a key cannot expire at this time; null if it can. */
export function refuseExpiry(expiresAt: string, now: Date): Refusal | null {
  const path = ["expiresAt"];
  const time = Date.parse(expiresAt);
  if (time <= now.getTime()) {
    return validationFailed({ path, code: "in_the_past", message: "Must be in the future." });
  }
  const message = "Must be before the year 9999.";
  return time < Date.parse(EXPIRY_MAX)
    ? null
    : validationFailed({ path, code: "too_late", message });
}

/** The role `service` is for programs. */
export function noPersonalRole(): Refusal {
  return validationFailed({
    path: ["role"],
    code: "not_applicable",
    message: "An API key of a person cannot have the role service.",
  });
}

/** The key was revoked or has expired, so it cannot be rotated. */
export function keyEnded(): Refusal {
  return {
    code: "key_ended",
    detail: "The API key was revoked or has expired. Create another one.",
  };
}

/** Without this key, there would be a time at which no admin key works. */
export function lastAdminKey(): Refusal {
  return {
    code: "last_admin_key",
    detail:
      "No other admin key works as long as this one. Create one that does, or rotate this key, before it ends.",
  };
}

/** Another person has the subject. */
export function subjectTaken(holderId: string): Refusal {
  return {
    code: "conflict",
    detail: "Another person has this subject.",
    existing: { id: holderId },
  };
}

/** The service does not call this URL. */
export function urlNotAllowed(detail: string): Refusal {
  return { code: "url_not_allowed", detail };
}

/** The bulk operation cannot be reverted, or the review cannot be withdrawn. `detail` says why. */
export function notRevertible(detail: string): Refusal {
  return { code: "not_revertible", detail };
}

/** The bulk operation cannot be retried. `detail` says why. */
export function notRetriable(detail: string): Refusal {
  return { code: "not_retriable", detail };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Joins names as in "a", "a or b", "a, b or c". */
export function inWords(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}
