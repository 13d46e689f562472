import * as z from "zod";
import { cancelBulk } from "../actions/bulk/cancel.ts";
import { planRetry, retryFailed } from "../actions/bulk/retry-failed.ts";
import { revertBulk } from "../actions/bulk/revert.ts";
import { bulkOperationView } from "../actions/views/bulk-views.ts";
import { findBulkOperation, listBulkOperations } from "../db/bulk/bulk-operations.ts";
import { BULK_OPERATION_ACTIONS } from "../domain/bulk/actions.ts";
import { hasEnded, OPERATION_STATES } from "../domain/bulk/states.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply, replyTo, takeTurn } from "./http/call.ts";
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
  LOOK_AGAIN,
  onStale,
  planToken,
  preview,
  replyBulk,
  sealOf,
} from "./shapes/bulk.ts";
import { stepKind } from "./shapes/task.ts";

const operation = z
  .strictObject({
    id: uuid,
    targetStatus: bulkTarget.nullable(),
    action: z.enum(BULK_OPERATION_ACTIONS).nullable().openapi({
      description:
        "The action, if the operation has no target. `revert` reverts the operation `parentId`.",
    }),
    changes: bulkEdit.nullable(),
    toKind: stepKind.nullable(),
    reason: z.string(),
    duplicateOf: uuid.nullable(),
    runAttachedWorkflows: z.boolean(),
    actor: z.strictObject({ id: z.string(), name: z.string() }),
    state: z.enum(OPERATION_STATES),
    counts,
    dispatched: count,
    recalled: count.openapi({
      description: "The number of dispatches that a revert recalled before delivery.",
    }),
    alreadyDelivered: count.openapi({
      description: "The number of dispatches that a revert could not recall.",
    }),
    progress: z.strictObject({ done: count, pending: count, at: timestamp }),
    cancelRequestedAt: timestamp.nullable(),
    parentId: uuid.nullable().openapi({
      description: "The operation that this one retries or reverts.",
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
  summary: "List bulk operations",
  description: "Returns the bulk operations, newest first.",
  tags: ["Bulk changes"],
  role: "viewer",
  query: z.strictObject(paging),
  response: { status: 200, description: "A page of operations.", schema: page(operation) },
  errors: ["invalid_cursor"],
});

const params = z.strictObject({ operationId: uuid });

const getOperation = defineContract({
  operationId: "getBulkOperation",
  method: "GET",
  path: "/bulk/operations/{operationId}",
  summary: "Retrieve a bulk operation",
  description: "Returns the operation with its counts and its progress.",
  tags: ["Bulk changes"],
  role: "viewer",
  params,
  response: {
    status: 200,
    description: "The operation.",
    schema: operation,
    headers: ["Retry-After"],
  },
  errors: ["not_found"],
});

const postCancel = defineContract({
  operationId: "cancelBulkOperation",
  method: "POST",
  path: "/bulk/operations/{operationId}/cancel",
  summary: "Cancel a bulk operation",
  description:
    "Cancels a queued operation immediately, and a running one after its current chunk of tasks. Tasks that are already changed stay changed; you can revert them.",
  tags: ["Bulk changes"],
  role: "reviewer",
  params,
  response: { status: 200, description: "The operation in its current state.", schema: operation },
  errors: ["not_found", "invalid_transition", "already_in_status", "stale"],
  idempotency: "optional",
});

const postRetryPlan = defineContract({
  operationId: "planRetryOfBulkItems",
  method: "POST",
  path: "/bulk/operations/{operationId}/retry-plan",
  summary: "Plan the retry of a bulk operation",
  description:
    "Returns what a retry would do to the tasks that failed or were stale, in their current state. Changes nothing. Pass its `planToken` to the retry. Returns 409 `not_retriable` if a retry would not do what was agreed to: the operation has not ended, was cancelled or reverted, has nothing left to retry, or names an original that can no longer be named.",
  tags: ["Bulk changes"],
  role: "viewer",
  service: true,
  params,
  body: z.strictObject({}).openapi("PlanRetryOfBulkItems"),
  example: {},
  response: { status: 200, description: "The plan.", schema: preview },
  errors: ["not_found", "not_retriable", "conflict"],
});

const postRetryFailed = defineContract({
  operationId: "retryFailedBulkItems",
  method: "POST",
  path: "/bulk/operations/{operationId}/retry-failed",
  summary: "Retry the failed items of a bulk operation",
  description:
    "Creates a child operation for the tasks that failed or were stale, as the plan of the retry has it. Requires that plan's `planToken`, and treats tasks that have changed since like an execution. Tasks that an earlier retry has changed are left out. The retry of a revert has no plan and no token, because it changes only tasks that failed and have not changed since. The example retries a revert. Returns 409 `not_retriable` if a retry would not do what was agreed to.",
  tags: ["Bulk changes"],
  role: "reviewer",
  bodyMax: "large",
  params,
  body: z
    .strictObject({
      reason: reason.optional().openapi({
        description: "Defaults to the reason of the original operation.",
      }),
      planToken: planToken
        .optional()
        .openapi({ description: "From the plan of the retry. Required, except for a revert." }),
      onStale: onStale.default("abort"),
    })
    .openapi("RetryFailedBulkItems"),
  example: { reason: "The database is available again." },
  response: { status: 200, description: "The outcome of each task.", schema: execution },
  alternative: accepted,
  errors: [
    "not_found",
    "not_retriable",
    "not_revertible",
    "invalid_plan_token",
    "plan_expired",
    "plan_stale",
  ],
  idempotency: "required",
});

const postRevert = defineContract({
  operationId: "revertBulkOperation",
  method: "POST",
  path: "/bulk/operations/{operationId}/revert",
  summary: "Revert a bulk operation",
  description:
    "Puts every task that has not changed since back to its previous state, and recalls its dispatches that are not delivered yet. The response reports the tasks and dispatches that could not be reverted. Returns 409 `not_revertible` if the operation has not ended, was already reverted, changed nothing, or is a revert or an `advance`.",
  tags: ["Bulk changes"],
  role: "reviewer",
  params,
  body: z.strictObject({ reason }).openapi("RevertBulkOperation"),
  example: { reason: "It was a mistake." },
  response: { status: 200, description: "The outcome of each task.", schema: execution },
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
    if (found === undefined) return refuse(notFound());
    return reply(bulkOperationView(found), hasEnded(found.state) ? {} : { headers: LOOK_AGAIN });
  }),

  createHandler(postCancel, async (call, input) =>
    replyTo(await cancelBulk(call, input.params.operationId)),
  ),

  createHandler(postRetryPlan, async (call, { params: { operationId } }) => {
    // An operation can have any number of tasks to retry.
    const plan = () => planRetry({ ...call, seal: sealOf(call) }, operationId);
    const planned = await takeTurn(call, "plans", plan);
    return planned.ok ? reply(planned.value) : planned;
  }),

  createHandler(postRetryFailed, async (call, { params: { operationId }, body }) =>
    replyBulk(
      await retryFailed(
        { ...call, seal: sealOf(call) },
        {
          operationId,
          reason: body.reason,
          planToken: body.planToken,
          onStale: body.onStale,
        },
      ),
    ),
  ),

  createHandler(postRevert, async (call, { params: { operationId }, body }) =>
    replyBulk(await revertBulk(call, { operationId, reason: body.reason })),
  ),
];
