import * as z from "zod";
import type { Done } from "../../actions/call/call.ts";
import type { BulkAccepted, BulkExecution } from "../../actions/views/bulk-views.ts";
import { BULK_ACTIONS, type BulkAction } from "../../domain/bulk/actions.ts";
import type { IntentMembers } from "../../domain/bulk/intent.ts";
import { BULK_REFUSALS } from "../../domain/bulk/judge.ts";
import { EXECUTED_TASKS_MAX, PREVIEWED_ITEMS_MAX } from "../../domain/bulk/limits.ts";
import { BULK_TARGETS } from "../../domain/bulk/matrix.ts";
import { BULK_END_STATES, BULK_OUTCOMES } from "../../domain/bulk/outcomes.ts";
import { BULK_WARNINGS } from "../../domain/bulk/plan.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import { type Answer, type Call, replyTo } from "../http/call.ts";
import { taskRef, timestamp, uuid } from "../http/schemas.ts";
import { pipelineName } from "./moved.ts";
import { stageName } from "./stage.ts";
import { assignee, priority, stepKind, unifiedStatus } from "./task.ts";

export const bulkTarget = z.enum(BULK_TARGETS).openapi("BulkTarget");
export const bulkAction = z.enum(BULK_ACTIONS).openapi("BulkAction");
export const count = z.int().min(0);

/** The fields that an edit of many tasks can set. */
export const bulkEdit = z
  .strictObject({
    assignee: assignee.nullable().optional(),
    priority: priority.optional(),
  })
  .openapi("BulkEdit");

/** What a bulk change does: it moves tasks to `targetStatus`, or applies `action` with the checks of the single call. */
export const intent = {
  targetStatus: bulkTarget.optional(),
  action: bulkAction.optional().openapi({
    description:
      "The action to apply instead of a `targetStatus`. `advance` opens the next stage of tasks with an open gate. `retry` requeues steps that failed or were cancelled. `run_pipelines` dispatches the pipelines that are attached to waiting steps. `edit` sets the fields in `changes`. `archive` and `restore` put tasks away and bring them back. `rework` opens a new attempt of the stage `toKind`.",
  }),
  changes: bulkEdit.optional().openapi({
    description: "The fields to set. Required for the action `edit`, and not allowed otherwise.",
  }),
  toKind: stageName.optional().openapi({
    description:
      "The stage to go back to. Required for the action `rework`, and not allowed otherwise.",
  }),
};

/** Adds an issue unless a body has exactly one complete intent. */
export function checkIntent(
  { targetStatus, action, changes, toKind }: IntentMembers<BulkAction>,
  context: z.RefinementCtx,
): void {
  const issue = (code: string, path: string[], message: string) =>
    context.addIssue({ code: "custom", params: { code }, path, message });
  if ((targetStatus === undefined) === (action === undefined)) {
    issue("one_of", [], "Set either targetStatus or action.");
  } else if ((action === "edit") !== (changes !== undefined)) {
    const code = action === "edit" ? "required" : "not_applicable";
    issue(code, ["changes"], "The action edit requires changes. No other action allows it.");
  } else if ((action === "rework") !== (toKind !== undefined)) {
    const code = action === "rework" ? "required" : "not_applicable";
    issue(code, ["toKind"], "The action rework requires toKind. No other action allows it.");
  } else if (changes && Object.keys(changes).length === 0) {
    issue("required", ["changes"], "An edit must set at least one field.");
  }
}

/** The options of a bulk change. */
export const terms = {
  duplicateOf: taskRef.optional().openapi({
    description:
      "The task that the others duplicate. Only for the target `DUPLICATE`. It must not be a duplicate, rejected or archived itself, or the request returns 409 `conflict`.",
  }),
  runAttachedWorkflows: z.boolean().default(false).openapi({
    description:
      "Whether the pipelines that are attached to the change run. Must be `true` to execute `run_pipelines`.",
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
  code: z.string().optional().openapi({ description: "Why the task was not changed." }),
  from: unifiedStatus.nullable(),
  to: unifiedStatus.nullable().openapi({
    description:
      "The task's label after the change. For a refused task, the requested target, or null if there is none.",
  }),
  eventSeq: z.int().optional(),
  allowed: z.array(bulkTarget).optional(),
};

const onlyForReverts = (description: string) =>
  count.optional().openapi({ description: `${description} Only for reverts.` });

/** The result of an operation that ended before the response. */
export const execution = z
  .strictObject({
    operationId: uuid,
    state: z.enum(BULK_END_STATES),
    counts,
    dispatched: count.openapi({ description: "The number of pipelines that were dispatched." }),
    reverted: onlyForReverts("The number of tasks that were put back."),
    movedOn: onlyForReverts("The number of tasks that changed since and were left as they are."),
    recalled: onlyForReverts("The number of dispatches that were recalled before delivery."),
    alreadyDelivered: onlyForReverts(
      "The number of dispatches that were already delivered, or were being delivered.",
    ),
    items: z.array(z.strictObject(item)),
  })
  .openapi("BulkExecution");

/** Asks the caller to wait a second before it reads the progress of an operation. */
export const LOOK_AGAIN = { "retry-after": "1" };

/** The response to a change of so many tasks that it continues in the background. */
export const accepted = {
  status: 202,
  description: `The operation is queued, because it has more than ${EXECUTED_TASKS_MAX} tasks. Read its progress at \`Location\`.`,
  schema: z.strictObject({ operationId: uuid, state: z.literal("queued") }).openapi("BulkAccepted"),
  headers: ["Location", "Retry-After"],
} as const;

/** Returns the response of a bulk call: the result, or 202 if the operation continues in the background. */
export function replyBulk(
  outcome: Outcome<Done<BulkExecution | BulkAccepted>>,
): Answer<BulkExecution | BulkAccepted> {
  return replyTo(outcome, ({ state, operationId }) => {
    if (state !== "queued") return {};
    const location = `/v1/bulk/operations/${operationId}`;
    return { status: accepted.status, headers: { location, ...LOOK_AGAIN } };
  });
}

/** Eight bytes in base64url for each task of the largest plan, plus the header. */
const PLAN_TOKEN_LENGTH_MAX = 540_000;
export const planToken = z.string().min(1).max(PLAN_TOKEN_LENGTH_MAX);

const plannedItem = z.strictObject({
  taskId: z.string(),
  decision: z.enum(["eligible", "refused"]),
  code: z.enum(BULK_REFUSALS).optional(),
  from: unifiedStatus.nullable(),
  to: unifiedStatus.nullable().openapi({
    description:
      "The task's label after the change. For a refused task, the requested target, or null if there is none.",
  }),
  allowed: z.array(bulkTarget).optional(),
  warnings: z.array(z.enum(BULK_WARNINGS)).optional(),
});

/** What a bulk change would do. */
export const preview = z
  .strictObject({
    targetStatus: bulkTarget.optional(),
    action: bulkAction.optional(),
    changes: bulkEdit.optional(),
    toKind: stepKind.optional(),
    counts: z.strictObject({ requested: count, eligible: count, refused: count }),
    bySource: z.partialRecord(
      z.enum(UNIFIED_STATUSES),
      z.strictObject({ eligible: count, refused: count }),
    ),
    byCode: z.partialRecord(z.enum(BULK_REFUSALS), count),
    pipelines: z
      .array(z.strictObject({ name: pipelineName, tasks: count, alreadyDispatched: count }))
      .openapi({ description: "The pipelines that run if `runAttachedWorkflows` is `true`." }),
    taskIds: z.array(uuid).optional().openapi({
      description: "The tasks that match the filter. Pass them to the execution.",
    }),
    items: z.array(plannedItem).openapi({
      description: `The first ${PREVIEWED_ITEMS_MAX} decisions, and all refusals.`,
    }),
    planToken: z.string().openapi({
      description: "Pass it to the execution, to make sure that tasks have not changed since.",
    }),
    expiresAt: timestamp,
    primaryLabel: z.string().openapi({
      description: "The text of a button that executes the plan.",
      example: "Change Status Only (42)",
    }),
  })
  .openapi("BulkPreview");

/** What an execution does if tasks differ from the plan token. */
export const onStale = z.enum(["abort", "skip"]);

/** The key that plan tokens are sealed with. */
export function sealOf({ signer, settings }: Call) {
  return { signer, secret: settings.signingSecret };
}
