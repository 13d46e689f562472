import * as z from "zod";
import { cancelBulk } from "../actions/bulk/cancel.ts";
import { retryFailed } from "../actions/bulk/retry-failed.ts";
import { revertBulk } from "../actions/bulk/revert.ts";
import { bulkOperationView, listedBulkItemView } from "../actions/views/bulk-views.ts";
import {
  findBulkOperation,
  listBulkItems,
  listBulkOperations,
} from "../db/bulk/bulk-operations.ts";
import { BULK_OPERATION_ACTIONS } from "../domain/bulk/actions.ts";
import { BULK_OUTCOMES } from "../domain/bulk/outcomes.ts";
import { OPERATION_STATES } from "../domain/bulk/states.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { page, paging, reason, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import {
  accepted,
  bulkEdit,
  bulkTarget,
  count,
  counts,
  execution,
  item,
  replyBulk,
} from "./shapes/bulk.ts";

const operation = z
  .strictObject({
    id: uuid,
    targetStatus: bulkTarget.nullable(),
    action: z.enum(BULK_OPERATION_ACTIONS).nullable().openapi({
      description: "What was done in place of a target; `revert` takes another operation back.",
    }),
    changes: bulkEdit.nullable(),
    reason: z.string(),
    duplicateOf: uuid.nullable(),
    runAttachedWorkflows: z.boolean(),
    actor: z.strictObject({ id: z.string(), name: z.string() }),
    state: z.enum(OPERATION_STATES),
    counts,
    dispatched: count,
    recalled: count.openapi({ description: "Of a revert: dispatches called back in time." }),
    alreadyDelivered: count.openapi({ description: "Of a revert: dispatches that had left." }),
    progress: z.strictObject({ done: count, pending: count, at: timestamp }),
    cancelRequestedAt: timestamp.nullable(),
    parentId: uuid.nullable().openapi({
      description: "The operation that this one retries or takes back.",
    }),
    revertedBy: uuid.nullable(),
    revertible: z.boolean(),
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

const postCancel = defineContract({
  operationId: "cancelBulkOperation",
  method: "POST",
  path: "/bulk/operations/{operationId}/cancel",
  summary: "Cancel a bulk change",
  description:
    "One that waits is cancelled at once, one that runs after the chunk that is under way. What is done stays done, and can be taken back.",
  tags: ["Bulk"],
  role: "reviewer",
  params,
  response: { status: 200, description: "The operation as it is now.", schema: operation },
  errors: ["not_found", "invalid_transition", "already_in_status", "stale"],
  idempotency: "optional",
});

const postRetryFailed = defineContract({
  operationId: "retryFailedBulkItems",
  method: "POST",
  path: "/bulk/operations/{operationId}/retry-failed",
  summary: "Try the tasks again that failed or were stale",
  description:
    "Makes a child operation, planned anew. It is answered as an execution is, or as a revert where one is tried again.",
  tags: ["Bulk"],
  role: "reviewer",
  params,
  body: z
    .strictObject({
      reason: reason.optional().openapi({ description: "The first operation's where absent." }),
    })
    .openapi("RetryFailedBulkItems"),
  response: { status: 200, description: "What became of each task.", schema: execution },
  alternative: accepted,
  errors: ["not_found", "invalid_transition", "already_in_status", "not_revertible"],
  idempotency: "required",
});

const postRevert = defineContract({
  operationId: "revertBulkOperation",
  method: "POST",
  path: "/bulk/operations/{operationId}/revert",
  summary: "Take a bulk change back",
  description:
    "Puts back every task that has not moved since, and calls back what was dispatched for it and has not left. What moved on and what was delivered is told. Nothing is taken back twice.",
  tags: ["Bulk"],
  role: "reviewer",
  params,
  body: z.strictObject({ reason }).openapi("RevertBulkOperation"),
  response: { status: 200, description: "What became of each task.", schema: execution },
  alternative: accepted,
  errors: ["not_found", "not_revertible"],
  idempotency: "required",
});

const operationPosition = z.strictObject({ createdAt: timestamp, id: uuid });

export const bulkOperationRoutes: readonly Route[] = [
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
    const { found } = await findBulkOperation(database, input.params.operationId);
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

  createHandler(postCancel, async (call, input) =>
    replyTo(await cancelBulk(call, input.params.operationId)),
  ),

  createHandler(postRetryFailed, async (call, { params: { operationId }, body }) =>
    replyBulk(await retryFailed(call, { operationId, reason: body.reason })),
  ),

  createHandler(postRevert, async (call, { params: { operationId }, body }) =>
    replyBulk(await revertBulk(call, { operationId, reason: body.reason })),
  ),
];
