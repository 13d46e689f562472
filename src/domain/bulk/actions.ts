import type { TaskFields } from "../lifecycle/snapshot.ts";
import type { BulkTarget } from "./matrix.ts";

/** What can be done to many tasks beside bringing them to a target. Each row goes through the single route's checks. */
export const BULK_ACTIONS = ["advance", "retry", "run_pipelines", "edit"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** The same, and the undoing of an operation, which has a route of its own. */
export const BULK_OPERATION_ACTIONS = [...BULK_ACTIONS, "revert"] as const;
export type BulkOperationAction = (typeof BULK_OPERATION_ACTIONS)[number];

/** What an edit of many tasks sets: the fields that tasks share. */
export type BulkEdit = { [Field in "assignee" | "priority"]?: TaskFields[Field] | undefined };

/** What is to become of many tasks: a target that they are brought to, or an action. */
export type BulkIntent =
  | { targetStatus: BulkTarget; action?: never; changes?: never }
  | { action: "advance"; targetStatus?: never; changes?: never }
  | { action: "retry"; targetStatus?: never; changes?: never }
  | { action: "run_pipelines"; targetStatus?: never; changes?: never }
  | { action: "edit"; changes: BulkEdit; targetStatus?: never };

/**
 * Actions that an operation can be taken back after. A step that was opened stays open: the way back from an advance
 * is rework.
 */
export const REVERTIBLE_ACTIONS = [
  "retry",
  "run_pipelines",
  "edit",
] as const satisfies readonly BulkAction[];

/** Whether an operation of this action, or with a target where there is none, can be taken back at all. */
export function isRevertibleAction(action: BulkOperationAction | null): boolean {
  return action === null || REVERTIBLE_ACTIONS.some((revertible) => revertible === action);
}
