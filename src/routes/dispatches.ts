import * as z from "zod";
import { recallUndelivered, retryDeadDispatch } from "../actions/dispatches/change-dispatch.ts";
import { findDispatch, listDispatches } from "../db/dispatches/read-dispatches.ts";
import { DISPATCH_STATES } from "../domain/pipelines/states.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { page, paging, reason, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { pipelineName } from "./shapes/moved.ts";

const tags = ["Pipelines"] as const;

const dispatchState = z.enum(DISPATCH_STATES).openapi("DispatchState");

const dispatchFields = {
  id: uuid,
  pipeline: pipelineName,
  taskId: uuid,
  versionId: uuid,
  stepId: uuid,
  state: dispatchState,
  byHand: z.boolean().openapi({ description: "Somebody asked for it alone, not with a move." }),
  bulkOperationId: uuid.nullable(),
  attempts: z.int().openapi({ description: "How often its endpoint was called." }),
  nextAttemptAt: timestamp.nullable().openapi({
    description: "Its endpoint is not called again before; null where nothing is waited for.",
  }),
  lastError: z.string().nullable(),
  runId: uuid.nullable().openapi({ description: "The worker run that it made." }),
  createdAt: timestamp,
  updatedAt: timestamp,
};
const dispatch = z.strictObject(dispatchFields).openapi("Dispatch");

const dispatchWithLog = z
  .strictObject({
    ...dispatchFields,
    log: z.array(
      z
        .strictObject({
          from: dispatchState.nullable(),
          to: dispatchState,
          actor: z.strictObject({ id: z.string(), name: z.string() }),
          reason: z.string().nullable(),
          at: timestamp,
        })
        .openapi("DispatchLogRow"),
    ),
  })
  .openapi("DispatchWithLog");

const onDispatch = z.strictObject({ dispatchId: uuid });

const getDispatches = defineContract({
  operationId: "listDispatches",
  method: "GET",
  path: "/dispatches",
  summary: "What pipelines were asked for, newest first",
  tags,
  role: "viewer",
  query: z.strictObject({
    state: dispatchState.optional(),
    pipeline: pipelineName.optional(),
    task: taskRef.optional(),
    bulkOperationId: uuid.optional(),
    ...paging,
  }),
  response: { status: 200, description: "A page of dispatches.", schema: page(dispatch) },
  errors: ["invalid_cursor"],
});

const getDispatch = defineContract({
  operationId: "getDispatch",
  method: "GET",
  path: "/dispatches/{dispatchId}",
  summary: "One dispatch and all that became of it",
  description: "Its log tells every change of its state, with who and why. It only grows.",
  tags,
  role: "viewer",
  params: onDispatch,
  response: { status: 200, description: "The dispatch.", schema: dispatchWithLog },
  errors: ["not_found"],
});

const body = z.strictObject({ reason }).openapi("ChangeDispatch");

const retry = defineContract({
  operationId: "retryDispatch",
  method: "POST",
  path: "/dispatches/{dispatchId}/retry",
  summary: "Have a dead dispatch delivered after all",
  description:
    "As if it had never been tried, with the run that it made. It is 409 `invalid_transition` where that run has ended, or what it was for is no longer wanted: then ask for the pipeline anew. A payment, of which a version has one, makes another run where its deadline has closed the first.",
  tags,
  role: "operator",
  params: onDispatch,
  body,
  response: { status: 200, description: "It waits in the outbox.", schema: dispatch },
  errors: ["not_found", "archived", "invalid_transition", "conflict"],
  idempotency: "optional",
});

const recall = defineContract({
  operationId: "recallDispatch",
  method: "POST",
  path: "/dispatches/{dispatchId}/recall",
  summary: "Call a dispatch back before it is delivered",
  description:
    "Where it was tried before, the run that waits is cancelled. It is 409 `invalid_transition` while it is being delivered, and once it was.",
  tags,
  role: "operator",
  params: onDispatch,
  body,
  response: { status: 200, description: "It was called back.", schema: dispatch },
  errors: ["not_found", "invalid_transition"],
  idempotency: "optional",
});

export const dispatchRoutes: readonly Route[] = [
  createHandler(getDispatches, (call, { query }) => {
    const { limit: _limit, cursor: _cursor, ...filter } = query;
    return answerPage(call, query, {
      operationId: getDispatches.operationId,
      filter,
      sort: "-id",
      position: uuid,
      read: (after, limit) => listDispatches(call.database, filter, { after, limit }),
      positionOf: ({ id }) => id,
      itemOf: (found) => found,
    });
  }),
  createHandler(getDispatch, async ({ database }, { params }) => {
    const found = await findDispatch(database, params.dispatchId);
    return found === null ? refuse(notFound()) : reply(found);
  }),
  createHandler(retry, async (call, { params, body: { reason: why } }) =>
    replyTo(await retryDeadDispatch(call, { ...params, reason: why })),
  ),
  createHandler(recall, async (call, { params, body: { reason: why } }) =>
    replyTo(await recallUndelivered(call, { ...params, reason: why })),
  ),
];
