import {
  BULK_EDIT_FIELDS,
  type BulkAction,
  type BulkEdit,
  type BulkOperationAction,
} from "./actions.ts";
import type { BulkTarget } from "./matrix.ts";

/** What a bulk change does to its tasks: it brings them to a target status, or performs an action on each. */
export type BulkIntent =
  | { targetStatus: BulkTarget; action?: never; changes?: never }
  | { action: "advance"; targetStatus?: never; changes?: never }
  | { action: "retry"; targetStatus?: never; changes?: never }
  | { action: "run_pipelines"; targetStatus?: never; changes?: never }
  | { action: "edit"; changes: BulkEdit; targetStatus?: never };

/** What a bulk operation does: a change, or the revert of another operation. */
export type BulkOperationIntent =
  | BulkIntent
  | { action: "revert"; targetStatus?: never; changes?: never };

type ActionIntent<Action extends BulkOperationAction> = Extract<
  BulkOperationIntent,
  { action: Action }
>;

/** An intent as bodies, previews and rows spell it: a member that does not apply is absent or null. */
export interface IntentMembers<Action extends BulkOperationAction = BulkOperationAction> {
  targetStatus?: BulkTarget | null | undefined;
  action?: Action | null | undefined;
  changes?: BulkEdit | null | undefined;
}

/** The intent of each action. An action without a row here does not compile. */
const INTENTS: { [Action in BulkOperationAction]: (changes: BulkEdit) => ActionIntent<Action> } = {
  advance: () => ({ action: "advance" }),
  retry: () => ({ action: "retry" }),
  run_pipelines: () => ({ action: "run_pipelines" }),
  edit: (changes) => ({ action: "edit", changes }),
  revert: () => ({ action: "revert" }),
};

/**
 * Reads an intent from its members.
 * @throws if they name neither a target nor an action: the body's schema and the table's constraint exclude it.
 */
export function decodeIntent<Action extends BulkOperationAction>(
  members: IntentMembers<Action>,
): Extract<BulkIntent, { targetStatus: BulkTarget }> | ActionIntent<Action> {
  const { targetStatus = null, action = null, changes } = members;
  if (targetStatus !== null) return { targetStatus };
  if (action === null) throw new Error("An intent names a target status or an action");
  return INTENTS[action](changes ?? {});
}

/** An intent as the ledger's columns, of which either `targetStatus` or `action` is null. */
export interface IntentColumns {
  targetStatus: BulkTarget | null;
  action: BulkOperationAction | null;
  /** What `edit` sets. */
  changes: BulkEdit | null;
}

export function encodeIntent(intent: BulkOperationIntent): IntentColumns {
  const { targetStatus = null, action = null, changes = null } = intent;
  return { targetStatus, action, changes };
}

/** An intent as a plan token holds it. Equal intents have equal members. */
export interface IntentInToken {
  targetStatus: BulkTarget | null;
  action: BulkAction | null;
  /** What `edit` sets, as JSON with its fields in a fixed order. */
  changes: string | null;
}

export function encodeIntentForToken(intent: BulkIntent): IntentInToken {
  const { targetStatus = null, action = null, changes } = intent;
  return {
    targetStatus,
    action,
    changes: changes === undefined ? null : JSON.stringify(changes, [...BULK_EDIT_FIELDS]),
  };
}
