import * as z from "zod";
import {
  changeMatchingDispatches,
  changeOneDispatch,
  REFUSALS,
} from "../actions/dispatches/change-dispatch.ts";
import type { DispatchChange } from "../db/dispatches/change-dispatch.ts";
import {
  type DispatchFilter,
  findDispatch,
  listDispatches,
} from "../db/dispatches/read-dispatches.ts";
import { DISPATCH_STATES } from "../domain/pipelines/states.ts";
import { notFound, refuse, succeed } from "../domain/refusals.ts";
import { type Call, reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import {
  afterTime,
  type FilterQuery,
  page,
  paging,
  reason,
  taskRef,
  timestamp,
  uuid,
  timeOrDay,
} from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { batchInput, batchOutput, batchView } from "./shapes/batch.ts";
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
  byHand: z.boolean().openapi({
    description: "Whether the dispatch was requested by itself, not by a change of the task.",
  }),
  bulkOperationId: uuid.nullable(),
  attempts: z.int().openapi({ description: "The number of calls to the endpoint so far." }),
  nextAttemptAt: timestamp.nullable().openapi({
    description: "The earliest time of the next call to the endpoint. Null if there is no wait.",
  }),
  lastError: z.string().nullable(),
  runId: uuid.nullable().openapi({ description: "The worker run that the dispatch created." }),
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

const dispatchFilterQuery = {
  state: dispatchState.optional(),
  pipeline: pipelineName.optional(),
  task: taskRef.optional(),
  bulkOperationId: uuid.optional(),
  createdAfter: afterTime.optional(),
  createdBefore: timeOrDay.optional(),
} satisfies FilterQuery<DispatchFilter>;

const getDispatches = defineContract({
  operationId: "listDispatches",
  method: "GET",
  path: "/dispatches",
  summary: "List dispatches",
  description: "Returns the dispatches that match every given filter, newest first.",
  tags,
  role: "viewer",
  query: z.strictObject({
    ...dispatchFilterQuery,
    ...paging,
  }),
  response: { status: 200, description: "A page of dispatches.", schema: page(dispatch) },
  errors: ["invalid_cursor"],
});

const getDispatch = defineContract({
  operationId: "getDispatch",
  method: "GET",
  path: "/dispatches/{dispatchId}",
  summary: "Retrieve a dispatch",
  description:
    "Returns the dispatch with its log, which records every change of its state, who made it, and why.",
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
  summary: "Retry a dead dispatch",
  description:
    "Delivers a `dead` dispatch again, with the full number of attempts and the same worker run. Returns 409 `invalid_transition` if that run has started or ended, or if the task no longer needs the pipeline; in the first case, dispatch the pipeline again. A version has only one payment, so a payment whose run timed out gets a new run instead.",
  tags,
  role: "operator",
  params: onDispatch,
  body,
  example: { reason: "The endpoint is available again." },
  response: {
    status: 200,
    description: "The dispatch, which waits in the outbox for its delivery.",
    schema: dispatch,
  },
  errors: ["not_found", "archived", "invalid_transition", "conflict"],
  idempotency: "optional",
});

const recall = defineContract({
  operationId: "recallDispatch",
  method: "POST",
  path: "/dispatches/{dispatchId}/recall",
  summary: "Recall a dispatch",
  description:
    "Withdraws a dispatch before it is delivered, and cancels its waiting run if there is one. Returns 409 `invalid_transition` while the dispatch is being delivered and after it was delivered.",
  tags,
  role: "operator",
  params: onDispatch,
  body,
  example: { reason: "The task has been withdrawn." },
  response: { status: 200, description: "The recalled dispatch.", schema: dispatch },
  errors: ["not_found", "invalid_transition"],
  idempotency: "optional",
});

const batch = z
  .strictObject({
    filter: z.strictObject(dispatchFilterQuery).openapi({
      description:
        "Which dispatches: all that match every given member, as in the list. Without `state`, those in the states that the call is for.",
    }),
    reason,
    ...batchInput,
  })
  .openapi("ChangeDispatches");

const onMany = {
  method: "POST",
  tags,
  role: "operator",
  body: batch,
  response: {
    status: 200,
    description: "What was changed, and what was left as it is, and why.",
    schema: batchOutput,
  },
  idempotency: "optional",
} as const;

const EACH =
  "Each is judged by itself, as if it were the only one, and those that cannot be changed are counted by their reason. A call looks at up to 1,000, the oldest first, and `nextAfter` says where to go on. With `dryRun`, it only says what it would do.";

const retryMany = defineContract({
  ...onMany,
  operationId: "retryDispatches",
  path: "/dispatches/retry",
  summary: "Retry dead dispatches",
  description: `Delivers all \`dead\` dispatches that match again. ${EACH} Of several dead dispatches of one step and pipeline, only the newest is delivered.`,
  example: {
    filter: { pipeline: "quality_automation" },
    reason: "The endpoint is available again.",
  },
});

const recallMany = defineContract({
  ...onMany,
  operationId: "recallDispatches",
  path: "/dispatches/recall",
  summary: "Recall dispatches",
  description: `Withdraws all dispatches that match and are not delivered yet. ${EACH}`,
  example: { filter: { task: "ext:gsm8k-0042" }, reason: "The task has been withdrawn." },
});

/** Answers a change of all dispatches that match. */
async function answerBatch(call: Call, change: DispatchChange, input: z.output<typeof batch>) {
  const changed = await changeMatchingDispatches(call, change, input);
  if (!changed.ok) return changed;
  const { value, replayed } = changed.value;
  return replyTo(succeed({ value: batchView(value, input.dryRun, REFUSALS), replayed }));
}

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
    replyTo(await changeOneDispatch(call, "retry", { ...params, reason: why })),
  ),
  createHandler(recall, async (call, { params, body: { reason: why } }) =>
    replyTo(await changeOneDispatch(call, "recall", { ...params, reason: why })),
  ),
  createHandler(retryMany, (call, input) => answerBatch(call, "retry", input.body)),
  createHandler(recallMany, (call, input) => answerBatch(call, "recall", input.body)),
];
