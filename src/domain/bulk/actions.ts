/** What can be done to many tasks beside bringing them to a target. Each row goes through the single route's checks. */
export const BULK_ACTIONS = ["advance", "retry", "run_pipelines", "edit"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** The same, and the undoing of an operation, which has a route of its own. */
export const BULK_OPERATION_ACTIONS = [...BULK_ACTIONS, "revert"] as const;
export type BulkOperationAction = (typeof BULK_OPERATION_ACTIONS)[number];
