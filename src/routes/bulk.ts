import * as z from "zod";
import { EXECUTED_TASKS_MAX, executeBulk } from "../actions/bulk/execute.ts";
import { PLANNED_TASKS_MAX } from "../actions/bulk/plan-in-parts.ts";
import { PREVIEWED_ITEMS_MAX, previewBulk } from "../actions/bulk/preview.ts";
import { BULK_REFUSALS } from "../domain/bulk/judge.ts";
import { BULK_WARNINGS } from "../domain/bulk/plan.ts";
import { UNIFIED_STATUSES } from "../domain/status/unified.ts";
import { type Call, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { reason, safeText, timestamp, uuid } from "./http/schemas.ts";
import {
  accepted,
  bulkAction,
  bulkEdit,
  bulkTarget,
  checkIntent,
  count,
  execution,
  intent,
  intentFrom,
  replyBulk,
  terms,
} from "./shapes/bulk.ts";
import { pipelineName } from "./shapes/moved.ts";
import { taskFilter } from "./shapes/task-filter.ts";
import { unifiedStatus } from "./shapes/task.ts";

/** `ext:` and the longest external id. */
const TASK_NAME_LENGTH_MAX = 204;
/** Eight bytes for each task of the largest plan, in base64url, and the header. */
const PLAN_TOKEN_LENGTH_MAX = 540_000;

/** Looser than a reference to one task: a name that means nothing is an item of the answer, `not_found`. */
const taskName = safeText(TASK_NAME_LENGTH_MAX).min(1).openapi({
  description: "A task's id, or `ext:` and its external id.",
});

const taskIds = z
  .array(taskName)
  .min(1)
  .max(PLANNED_TASKS_MAX)
  .openapi({ description: "Doubled ones count once." });

const plannedItem = z.strictObject({
  taskId: z.string(),
  decision: z.enum(["eligible", "refused"]),
  code: z.enum(BULK_REFUSALS).optional(),
  from: unifiedStatus.nullable(),
  to: unifiedStatus.nullable().openapi({
    description: "The label after; of a refused task the target, where there is one.",
  }),
  allowed: z.array(bulkTarget).optional(),
  warnings: z.array(z.enum(BULK_WARNINGS)).optional(),
});

const preview = z
  .strictObject({
    targetStatus: bulkTarget.optional(),
    action: bulkAction.optional(),
    changes: bulkEdit.optional(),
    counts: z.strictObject({ requested: count, eligible: count, refused: count }),
    bySource: z.partialRecord(
      z.enum(UNIFIED_STATUSES),
      z.strictObject({ eligible: count, refused: count }),
    ),
    byCode: z.partialRecord(z.enum(BULK_REFUSALS), count),
    pipelines: z
      .array(z.strictObject({ name: pipelineName, tasks: count, alreadyDispatched: count }))
      .openapi({ description: "What would run if `runAttachedWorkflows` were true." }),
    taskIds: z.array(uuid).optional().openapi({
      description: "The tasks that the filter found: what execution takes.",
    }),
    items: z.array(plannedItem).openapi({
      description: `The first ${PREVIEWED_ITEMS_MAX} decisions, and every refusal.`,
    }),
    planToken: z.string().openapi({ description: "Binds execution to this very plan." }),
    expiresAt: timestamp,
    primaryLabel: z.string().openapi({ example: "Change Status Only (42)" }),
  })
  .openapi("BulkPreview");

const onStale = z.enum(["abort", "skip"]);
const IGNORED = "Not looked at here: the body of an execution may be previewed as it is.";

const postPreview = defineContract({
  operationId: "previewBulk",
  method: "POST",
  path: "/bulk/preview",
  summary: "See what a bulk change would do",
  description: "Writes nothing. Execution judges by the same rules.",
  tags: ["Bulk"],
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
      const message = "Either taskIds or filter says which tasks are meant.";
      context.addIssue({ code: "custom", params: { code: "one_of" }, message });
    })
    .openapi("PreviewBulk"),
  response: { status: 200, description: "The plan.", schema: preview },
  errors: ["not_found"],
});

const postExecute = defineContract({
  operationId: "executeBulk",
  method: "POST",
  path: "/bulk/execute",
  summary: "Change many tasks at once",
  description: `Each task is changed whole or not at all, and holds back no other. With a \`planToken\`, tasks that have changed since the preview stop the whole (\`abort\`) or are left out (\`skip\`). Up to ${EXECUTED_TASKS_MAX} tasks are changed before the answer; of more the plan is stored, and the operation tells how far it got. A repeat with the same Idempotency-Key gets the same answer.`,
  tags: ["Bulk"],
  role: "reviewer",
  bodyMax: "large",
  body: z
    .strictObject({
      ...intent,
      ...terms,
      taskIds,
      reason,
      planToken: z.string().min(1).max(PLAN_TOKEN_LENGTH_MAX).optional(),
      onStale: onStale.default("abort"),
    })
    .superRefine(checkIntent)
    .openapi("ExecuteBulk"),
  response: { status: 200, description: "What became of each task.", schema: execution },
  alternative: accepted,
  errors: ["not_found", "invalid_plan_token", "plan_expired", "plan_stale"],
  idempotency: "required",
});

export const bulkRoutes: readonly Route[] = [
  createHandler(postPreview, async (call, { body }) => {
    const { taskIds: names = [], filter, reason: why = "" } = body;
    const { duplicateOf, runAttachedWorkflows } = body;
    const planned = await previewBulk(
      { ...call, seal: sealOf(call) },
      { ...intentFrom(body), duplicateOf, runAttachedWorkflows, reason: why },
      filter === undefined ? { taskIds: names } : { filter },
    );
    return planned.ok ? reply(planned.value) : planned;
  }),

  createHandler(postExecute, async (call, { body }) => {
    const { targetStatus: _, action: __, changes: ___, ...rest } = body;
    const input = { ...rest, ...intentFrom(body) };
    return replyBulk(await executeBulk({ ...call, seal: sealOf(call) }, input));
  }),
];

function sealOf({ signer, settings }: Call) {
  return { signer, secret: settings.signingSecret };
}
