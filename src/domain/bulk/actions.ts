import type { TaskFields } from "../lifecycle/snapshot.ts";

/** The actions of bulk changes without a target. Each task passes the same checks as a single call. */
export const BULK_ACTIONS = [
  "advance",
  "retry",
  "run_pipelines",
  "edit",
  "archive",
  "restore",
  "rework",
] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** The bulk actions, and the revert of an operation, which has a route of its own. */
export const BULK_OPERATION_ACTIONS = [...BULK_ACTIONS, "revert"] as const;
export type BulkOperationAction = (typeof BULK_OPERATION_ACTIONS)[number];

/** The fields that `edit` can set: those that can be the same for many tasks. */
export const BULK_EDIT_FIELDS = ["assignee", "priority"] as const;
/** What `edit` sets; a field that is absent stays as it is. */
export type BulkEdit = {
  [Field in (typeof BULK_EDIT_FIELDS)[number]]?: TaskFields[Field] | undefined;
};

/**
 * Whether an operation with each action can be reverted. An advance and a rework cannot, because the steps that they
 * opened stay open.
 */
const IS_REVERTIBLE: Record<BulkOperationAction, boolean> = {
  advance: false,
  retry: true,
  run_pipelines: true,
  edit: true,
  archive: true,
  restore: true,
  rework: false,
  revert: false,
};

export const REVERTIBLE_ACTIONS = BULK_ACTIONS.filter((action) => IS_REVERTIBLE[action]);

/** Whether an operation with this action can be reverted. An operation with a target has no action, and can be. */
export function isRevertibleAction(action: BulkOperationAction | null): boolean {
  return action === null || IS_REVERTIBLE[action];
}
