import {
  BULK_EDIT_FIELDS,
  type BulkAction,
  type BulkEdit,
  type BulkOperationAction,
} from "./actions.ts";
import type { StepKind } from "../lifecycle/statuses.ts";
import type { BulkTarget } from "./matrix.ts";

/** What a bulk change does to its tasks: it brings them to a target status, or performs an action on each. */
export type BulkIntent =
  | { targetStatus: BulkTarget; action?: never; changes?: never; toKind?: never }
  | PlainIntent
  | { action: "edit"; changes: BulkEdit; targetStatus?: never; toKind?: never }
  | { action: "rework"; toKind: StepKind; targetStatus?: never; changes?: never };

/** The intents of the actions that need no parameter. */
type PlainIntent = {
  [Action in Exclude<BulkAction, "edit" | "rework">]: {
    action: Action;
    targetStatus?: never;
    changes?: never;
    toKind?: never;
  };
}[Exclude<BulkAction, "edit" | "rework">];

/** What a bulk operation does: a change, or the revert of another operation. */
export type BulkOperationIntent =
  | BulkIntent
  | { action: "revert"; targetStatus?: never; changes?: never; toKind?: never };

type ActionIntent<Action extends BulkOperationAction> = Extract<
  BulkOperationIntent,
  { action: Action }
>;

/** An intent as bodies, previews and rows spell it: a member that does not apply is absent or null. */
export interface IntentMembers<Action extends BulkOperationAction = BulkOperationAction> {
  targetStatus?: BulkTarget | null | undefined;
  action?: Action | null | undefined;
  changes?: BulkEdit | null | undefined;
  toKind?: StepKind | null | undefined;
}

/**
 * Reads an intent from its members.
 * @throws if they name neither a target nor an action, or a rework without a stage: the body's schema and the table's
 * constraints exclude both.
 */
export function decodeIntent<Action extends BulkOperationAction>(
  members: IntentMembers<Action>,
): Extract<BulkIntent, { targetStatus: BulkTarget }> | ActionIntent<Action>;
export function decodeIntent(members: IntentMembers): BulkOperationIntent {
  const { targetStatus = null, action = null, changes, toKind = null } = members;
  if (targetStatus !== null) return { targetStatus };
  if (action === null) throw new Error("An intent names a target status or an action");
  if (action === "edit") return { action, changes: changes ?? {} };
  if (action !== "rework") return { action };
  if (toKind === null) throw new Error("A rework names a stage");
  return { action, toKind };
}

/** An intent as the ledger's columns, of which either `targetStatus` or `action` is null. */
export interface IntentColumns {
  targetStatus: BulkTarget | null;
  action: BulkOperationAction | null;
  /** What `edit` sets. */
  changes: BulkEdit | null;
  /** The stage to which `rework` leads. */
  toKind: StepKind | null;
}

export function encodeIntent(intent: BulkOperationIntent): IntentColumns {
  const { targetStatus = null, action = null, changes = null, toKind = null } = intent;
  return { targetStatus, action, changes, toKind };
}

/** An intent as a plan token holds it. Equal intents have equal members. */
export interface IntentInToken {
  targetStatus: BulkTarget | null;
  action: BulkAction | null;
  /** What `edit` sets, as JSON with its fields in a fixed order. */
  changes: string | null;
  toKind: StepKind | null;
}

export function encodeIntentForToken(intent: BulkIntent): IntentInToken {
  const { targetStatus = null, action = null, changes, toKind = null } = intent;
  return {
    targetStatus,
    action,
    changes: changes === undefined ? null : JSON.stringify(changes, [...BULK_EDIT_FIELDS]),
    toKind,
  };
}
