import { z } from "@hono/zod-openapi";
import { executeBulk } from "../actions/execute-bulk.ts";
import { PREVIEWED_ITEMS_MAX, PREVIEWED_TASKS_MAX, previewBulk } from "../actions/preview-bulk.ts";
import { bulkOperationView, listedBulkItemView } from "../actions/views/bulk-views.ts";
import { findBulkOperation, listBulkItems, listBulkOperations } from "../db/bulk-operations.ts";
import { BULK_TARGETS } from "../domain/bulk/matrix.ts";
import { BULK_OUTCOMES } from "../domain/bulk/outcomes.ts";
import { BULK_REFUSALS, BULK_WARNINGS } from "../domain/bulk/plan.ts";
import { OPERATION_STATES } from "../domain/lifecycle/statuses.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { UNIFIED_STATUSES } from "../domain/status/unified.ts";
import { type Call, reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { page, paging, reason, safeText, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./paging.ts";
import { pipelineName } from "./shapes/moved.ts";
import { taskFilter } from "./shapes/task-filter.ts";
import { unifiedStatus } from "./shapes/task.ts";

/** Tasks that one call executes before it answers. */
const EXECUTED_TASKS_MAX = 1000;
/** `ext:` and the longest external id. */
const TASK_NAME_LENGTH_MAX = 204;
/** Eight bytes for each task of the largest preview, in base64url, and the header. */
const PLAN_TOKEN_LENGTH_MAX = 540_000;

const bulkTarget = z.enum(BULK_TARGETS).openapi("BulkTarget");
const count = z.int().min(0);

/** Looser than a reference to one task: a name that means nothing is an item of the answer, `not_found`. */
const taskName = safeText(TASK_NAME_LENGTH_MAX).min(1).openapi({
  description: "A task's id, or `ext:` and its external id.",
});

const taskIds = (max: number) =>
  z.array(taskName).min(1).max(max).openapi({ description: "Doubled ones count once." });

const change = {
  targetStatus: bulkTarget,
  duplicateOf: taskRef.optional().openapi({
    description: "With `DUPLICATE`: the task that all of them duplicate.",
  }),
  runAttachedWorkflows: z.boolean().default(false).openapi({
    description:
      "Whether the pipelines that are attached to the target run. In bulk none runs unasked.",
  }),
};

const plannedItem = z.strictObject({
  taskId: z.string(),
  decision: z.enum(["eligible", "refused"]),
  code: z.enum(BULK_REFUSALS).optional(),
  from: unifiedStatus.nullable(),
  to: bulkTarget,
  allowed: z.array(bulkTarget).optional(),
  warnings: z.array(z.enum(BULK_WARNINGS)).optional(),
});

const preview = z
  .strictObject({
    targetStatus: bulkTarget,
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
      ...change,
      taskIds: taskIds(PREVIEWED_TASKS_MAX).optional(),
      filter: taskFilter.optional(),
      reason: reason.optional(),
      planToken: z.string().optional().openapi({ description: IGNORED }),
      onStale: onStale.optional().openapi({ description: IGNORED }),
    })
    .superRefine(({ taskIds: named, filter }, context) => {
      if ((named === undefined) !== (filter === undefined)) return;
      const message = "Either taskIds or filter says which tasks are meant.";
      context.addIssue({ code: "custom", params: { code: "one_of" }, message });
    })
    .openapi("PreviewBulk"),
  response: { status: 200, description: "The plan.", schema: preview },
  errors: ["not_found"],
});

const counts = z.strictObject({
  requested: count,
  changed: count,
  refused: count,
  stale: count,
  failed: count,
});

const item = {
  taskId: z.string(),
  outcome: z.enum(BULK_OUTCOMES),
  code: z.string().optional().openapi({ description: "Why, unless it was changed." }),
  from: unifiedStatus.nullable(),
  to: bulkTarget,
  eventSeq: z.int().optional(),
  allowed: z.array(bulkTarget).optional(),
};

const execution = z
  .strictObject({
    operationId: uuid,
    state: z.enum(["completed", "partial", "failed"]),
    counts,
    dispatched: count.openapi({ description: "How many pipelines were asked for." }),
    items: z.array(z.strictObject(item)),
  })
  .openapi("BulkExecution");

const postExecute = defineContract({
  operationId: "executeBulk",
  method: "POST",
  path: "/bulk/execute",
  summary: "Change many tasks at once",
  description:
    "Each task is changed whole or not at all, and holds back no other. With a `planToken`, tasks that have changed since the preview stop the whole (`abort`) or are left out (`skip`). A repeat with the same Idempotency-Key gets the same answer.",
  tags: ["Bulk"],
  role: "reviewer",
  bodyMax: "large",
  body: z
    .strictObject({
      ...change,
      taskIds: taskIds(EXECUTED_TASKS_MAX),
      reason,
      planToken: z.string().min(1).max(PLAN_TOKEN_LENGTH_MAX).optional(),
      onStale: onStale.default("abort"),
    })
    .openapi("ExecuteBulk"),
  response: { status: 200, description: "What became of each task.", schema: execution },
  errors: ["not_found", "invalid_plan_token", "plan_expired", "plan_stale"],
  idempotency: "required",
});

const operation = z
  .strictObject({
    id: uuid,
    targetStatus: bulkTarget,
    reason: z.string(),
    duplicateOf: uuid.nullable(),
    runAttachedWorkflows: z.boolean(),
    actor: z.strictObject({ id: z.string(), name: z.string() }),
    state: z.enum(OPERATION_STATES),
    counts,
    dispatched: count,
    createdAt: timestamp,
    finishedAt: timestamp.nullable(),
  })
  .openapi("BulkOperation");

const listOperations = defineContract({
  operationId: "listBulkOperations",
  method: "GET",
  path: "/bulk/operations",
  summary: "List bulk changes, newest first",
  tags: ["Bulk"],
  role: "viewer",
  query: z.strictObject(paging),
  response: { status: 200, description: "A page.", schema: page(operation) },
  errors: ["invalid_cursor"],
});

const params = z.strictObject({ operationId: uuid });

const getOperation = defineContract({
  operationId: "getBulkOperation",
  method: "GET",
  path: "/bulk/operations/{operationId}",
  summary: "Read a bulk change",
  tags: ["Bulk"],
  role: "viewer",
  params,
  response: { status: 200, description: "The operation.", schema: operation },
  errors: ["not_found"],
});

const listItems = defineContract({
  operationId: "listBulkItems",
  method: "GET",
  path: "/bulk/operations/{operationId}/items",
  summary: "List what became of each task of a bulk change",
  tags: ["Bulk"],
  role: "viewer",
  params,
  query: z.strictObject({ ...paging, outcome: z.enum(BULK_OUTCOMES).optional() }),
  response: {
    status: 200,
    description: "A page, in the order in which the tasks were named.",
    schema: page(
      z
        .strictObject({ position: count, ...item, error: z.string().nullable() })
        .openapi("BulkOperationItem"),
    ),
  },
  errors: ["not_found", "invalid_cursor"],
});

const operationPosition = z.strictObject({ createdAt: timestamp, id: uuid });

export const bulkRoutes: readonly Route[] = [
  createHandler(postPreview, async (call, { body }) => {
    const { taskIds: names = [], filter, reason: why = "" } = body;
    const { targetStatus, duplicateOf, runAttachedWorkflows } = body;
    const planned = await previewBulk(
      { ...call, seal: sealOf(call) },
      { targetStatus, duplicateOf, runAttachedWorkflows, reason: why },
      filter === undefined ? { taskIds: names } : { filter },
    );
    return planned.ok ? reply(planned.value) : planned;
  }),

  createHandler(postExecute, async (call, { body }) =>
    replyTo(await executeBulk({ ...call, seal: sealOf(call) }, body)),
  ),

  createHandler(listOperations, ({ database, ...call }, { query }) =>
    answerPage(call, query, {
      operationId: listOperations.operationId,
      filter: {},
      sort: "-createdAt",
      position: operationPosition,
      read: (after, limit) => listBulkOperations(database, { after, limit }),
      positionOf: ({ createdAt, id }) => ({ createdAt, id }),
      itemOf: bulkOperationView,
    }),
  ),

  createHandler(getOperation, async ({ database }, input) => {
    const found = await findBulkOperation(database, input.params.operationId);
    return found === undefined ? refuse(notFound()) : reply(bulkOperationView(found));
  }),

  createHandler(listItems, ({ database, ...call }, { params: { operationId }, query }) =>
    answerPage(call, query, {
      operationId: listItems.operationId,
      filter: { operationId, outcome: query.outcome },
      sort: "position",
      position: z.int().min(0),
      read: (after, limit) =>
        listBulkItems(database, { operationId, outcome: query.outcome, after: after ?? -1, limit }),
      positionOf: ({ position }) => position,
      itemOf: listedBulkItemView,
    }),
  ),
];

function sealOf({ signer, settings }: Call) {
  return { signer, secret: settings.signingSecret };
}
