import * as z from "zod";
import type { Done } from "../../actions/call/call.ts";
import type { BulkAccepted, BulkExecution } from "../../actions/views/bulk-views.ts";
import { BULK_ACTIONS, type BulkIntent } from "../../domain/bulk/actions.ts";
import { BULK_TARGETS } from "../../domain/bulk/matrix.ts";
import { BULK_END_STATES, BULK_OUTCOMES } from "../../domain/bulk/outcomes.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { type Answer, replyTo } from "../http/call.ts";
import { taskRef, uuid } from "../http/schemas.ts";
import { assignee, priority, unifiedStatus } from "./task.ts";

export const bulkTarget = z.enum(BULK_TARGETS).openapi("BulkTarget");
export const bulkAction = z.enum(BULK_ACTIONS).openapi("BulkAction");
export const count = z.int().min(0);

/** What an edit of many tasks sets. */
export const bulkEdit = z
  .strictObject({
    assignee: assignee.nullable().optional(),
    priority: priority.optional(),
  })
  .openapi("BulkEdit");

/** What is to become of the tasks: `targetStatus`, or `action`, which goes through the checks of the single call. */
export const intent = {
  targetStatus: bulkTarget.optional(),
  action: bulkAction.optional().openapi({
    description:
      "In place of `targetStatus`: `advance` through open gates, `retry` what failed or was cancelled, `run_pipelines` for steps that wait, or `edit`.",
  }),
  changes: bulkEdit.optional().openapi({ description: "With `edit`: what it sets." }),
};

interface AskedIntent {
  targetStatus?: z.output<typeof bulkTarget> | undefined;
  action?: z.output<typeof bulkAction> | undefined;
  changes?: z.output<typeof bulkEdit> | undefined;
}

/** A body says one thing to do, and all of it. */
export function checkIntent(
  { targetStatus, action, changes }: AskedIntent,
  context: z.RefinementCtx,
): void {
  const issue = (code: string, path: string[], message: string) =>
    context.addIssue({ code: "custom", params: { code }, path, message });
  if ((targetStatus === undefined) === (action === undefined)) {
    issue("one_of", [], "Either targetStatus or action says what to do.");
  } else if ((action === "edit") !== (changes !== undefined)) {
    const code = action === "edit" ? "required" : "not_applicable";
    issue(code, ["changes"], "changes goes with the action edit alone, which takes it.");
  } else if (changes !== undefined && Object.keys(changes).length === 0) {
    issue("required", ["changes"], "An edit sets at least one field.");
  }
}

/** The intent of a body that was checked. */
export function intentFrom({ targetStatus, action, changes }: AskedIntent): BulkIntent {
  if (targetStatus !== undefined) return { targetStatus };
  if (action === undefined) throw new Error("A checked body says what to do");
  return action === "edit" ? { action, changes: changes ?? {} } : { action };
}

/** How a change is made. */
export const terms = {
  duplicateOf: taskRef.optional().openapi({
    description: "With `DUPLICATE`: the task that all of them duplicate.",
  }),
  runAttachedWorkflows: z.boolean().default(false).openapi({
    description:
      "Whether the pipelines that are attached to the change run. In bulk none runs unasked; `run_pipelines` takes a yes.",
  }),
};

export const counts = z.strictObject({
  requested: count,
  changed: count,
  refused: count,
  stale: count,
  failed: count,
});

export const item = {
  taskId: z.string(),
  outcome: z.enum(BULK_OUTCOMES),
  code: z.string().optional().openapi({ description: "Why, unless it was changed." }),
  from: unifiedStatus.nullable(),
  to: unifiedStatus.nullable().openapi({
    description: "The label after; of a refused task the target, where there is one.",
  }),
  eventSeq: z.int().optional(),
  allowed: z.array(bulkTarget).optional(),
};

const ofRevert = (description: string) =>
  count.optional().openapi({ description: `Of a revert alone: ${description}` });

/** What an operation did that was carried out before the answer. */
export const execution = z
  .strictObject({
    operationId: uuid,
    state: z.enum(BULK_END_STATES),
    counts,
    dispatched: count.openapi({ description: "How many pipelines were asked for." }),
    reverted: ofRevert("tasks that are back where they were."),
    movedOn: ofRevert("tasks that moved since, and were left."),
    recalled: ofRevert("dispatches that were called back in time."),
    alreadyDelivered: ofRevert("dispatches that had left, or were leaving."),
    items: z.array(z.strictObject(item)),
  })
  .openapi("BulkExecution");

/** The answer while the work goes on: how it goes is told by the operation. */
export const accepted = {
  status: 202,
  description: "More than 1,000 tasks: they are worked through after the answer.",
  schema: z.strictObject({ operationId: uuid, state: z.literal("queued") }).openapi("BulkAccepted"),
  headers: ["Location"],
} as const;

/** Answers what an operation did, or that it will. */
export function replyBulk(
  outcome: Outcome<Done<BulkExecution | BulkAccepted>>,
): Answer<BulkExecution | BulkAccepted> {
  return replyTo(outcome, ({ state, operationId }) => {
    if (state !== "queued") return {};
    const location = `/v1/bulk/operations/${operationId}`;
    return { status: accepted.status, headers: { location } };
  });
}
