import * as z from "zod";
import { executeBulk } from "../actions/bulk/execute.ts";
import { previewBulk } from "../actions/bulk/preview.ts";
import { decodeIntent } from "../domain/bulk/intent.ts";
import { BULK_REFUSALS } from "../domain/bulk/judge.ts";
import { BULK_WARNINGS } from "../domain/bulk/plan.ts";
import { UNIFIED_STATUSES } from "../domain/status/unified.ts";
import { type Call, reply, takeTurn } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { listedName, reason, timestamp, uuid } from "./http/schemas.ts";
import {
  accepted,
  bulkAction,
  bulkEdit,
  bulkTarget,
  checkIntent,
  count,
  execution,
  intent,
  replyBulk,
  terms,
} from "./shapes/bulk.ts";
import { pipelineName } from "./shapes/moved.ts";
import { taskFilter } from "./shapes/task-filter.ts";
import { stepKind, unifiedStatus } from "./shapes/task.ts";
import {
  EXECUTED_TASKS_MAX,
  PLANNED_TASKS_MAX,
  PREVIEWED_ITEMS_MAX,
} from "../domain/bulk/limits.ts";

/** Eight bytes in base64url for each task of the largest plan, plus the header. */
const PLAN_TOKEN_LENGTH_MAX = 540_000;
export const planToken = z.string().min(1).max(PLAN_TOKEN_LENGTH_MAX);

const taskIds = z
  .array(listedName)
  .min(1)
  .max(PLANNED_TASKS_MAX)
  .openapi({ description: "The tasks to change. Duplicates are ignored." });

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

export const onStale = z.enum(["abort", "skip"]);
const IGNORED = "Ignored. Accepted so that you can preview the body of an execution.";

const postPreview = defineContract({
  operationId: "previewBulk",
  method: "POST",
  path: "/bulk/preview",
  summary: "Preview a bulk change",
  description: `Returns what a bulk change would do to each of up to ${PLANNED_TASKS_MAX} tasks, by the same rules as the execution. Changes nothing. Name the tasks by \`taskIds\` or by \`filter\`.`,
  tags: ["Bulk changes"],
  role: "viewer",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({
      ...intent,
      ...terms,
      taskIds: taskIds.optional(),
      filter: taskFilter.optional(),
      reason: reason.optional(),
      planToken: z.string().optional().openapi({ description: IGNORED }),
      onStale: onStale.optional().openapi({ description: IGNORED }),
    })
    .superRefine((body, context) => {
      checkIntent(body, context);
      if ((body.taskIds === undefined) !== (body.filter === undefined)) return;
      const message = "Set either taskIds or filter.";
      context.addIssue({ code: "custom", params: { code: "one_of" }, message });
    })
    .openapi("PreviewBulk"),
  response: { status: 200, description: "The plan.", schema: preview },
  errors: ["not_found", "conflict"],
});

const postExecute = defineContract({
  operationId: "executeBulk",
  method: "POST",
  path: "/bulk/execute",
  summary: "Execute a bulk change",
  description: `Changes up to ${PLANNED_TASKS_MAX} tasks. Each task succeeds or fails separately, and is never changed in part. With a \`planToken\`, tasks that have changed since the preview fail the whole request with 409 \`plan_stale\` (\`onStale: abort\`) or are skipped (\`skip\`). Up to ${EXECUTED_TASKS_MAX} tasks are changed before the response. A larger change returns 202 and continues in the background; its operation reports the progress. A retry with the same \`Idempotency-Key\` returns the same response.`,
  tags: ["Bulk changes"],
  role: "reviewer",
  bodyMax: "large",
  body: z
    .strictObject({
      ...intent,
      ...terms,
      taskIds,
      reason,
      planToken: planToken.optional(),
      onStale: onStale.default("abort"),
    })
    .superRefine(checkIntent)
    .openapi("ExecuteBulk"),
  response: { status: 200, description: "The outcome of each task.", schema: execution },
  alternative: accepted,
  errors: ["not_found", "conflict", "invalid_plan_token", "plan_expired", "plan_stale"],
  idempotency: "required",
});

export const bulkRoutes: readonly Route[] = [
  createHandler(postPreview, async (call, { body }) => {
    const { taskIds: names = [], filter, reason: why = "" } = body;
    const { duplicateOf, runAttachedWorkflows } = body;
    const plan = () =>
      previewBulk(
        { ...call, seal: sealOf(call) },
        { intent: decodeIntent(body), duplicateOf, runAttachedWorkflows, reason: why },
        filter === undefined ? { taskIds: names } : { filter },
      );
    // A filter can match any number of tasks.
    const isLarge = filter !== undefined || names.length > EXECUTED_TASKS_MAX;
    const planned = await (isLarge ? takeTurn(call, "plans", plan) : plan());
    return planned.ok ? reply(planned.value) : planned;
  }),

  createHandler(postExecute, async (call, { body }) => {
    const input = { ...body, intent: decodeIntent(body) };
    const execute = () => executeBulk({ ...call, seal: sealOf(call) }, input);
    const isLarge = body.taskIds.length > EXECUTED_TASKS_MAX;
    return replyBulk(await (isLarge ? takeTurn(call, "plans", execute) : execute()));
  }),
];

export function sealOf({ signer, settings }: Call) {
  return { signer, secret: settings.signingSecret };
}
