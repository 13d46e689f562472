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
  version_conflict: { eventSeq: number };
  conflict: { existing: { id: string } };
  plan_stale: { changed: { taskId: string; unifiedStatus: string | null; code: string | null }[] };
  plan_expired: object;
  invalid_plan_token: object;
  invalid_cursor: object;
  operation_in_progress: object;
  idempotency_key_reused: object;
  too_many_items: { max: number };
}
export type RefusalCode = keyof RefusalData;

/** One fault of the input: where, which rule, in words. */
export interface Issue {
  path: (string | number)[];
  code: string;
  message: string;
}

/** A call that would be lawful now, told with a 409 of a task. */
export interface LawfulCall {
  method: "PATCH" | "POST";
  path: string;
  body: Record<string, unknown>;
  /** Members of the body that only the caller can fill in. */
  needs?: readonly "reason"[];
}

export type Refusal = {
  [Code in RefusalCode]: { code: Code; detail: string; next?: LawfulCall[] } & RefusalData[Code];
}[RefusalCode];

/** What a decision or an action gives back: the value, or the reason why not. */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; refusal: Refusal };

export const accept = <Value>(value: Value): Outcome<Value> => ({ ok: true, value });
export const refuse = (refusal: Refusal): { ok: false; refusal: Refusal } => ({ ok: false, refusal });
