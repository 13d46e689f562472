import * as z from "zod";
import { recordReview } from "../actions/moves/record-review.ts";
import { listReviews } from "../db/tasks/reviews.ts";
import { REVIEW_KINDS, REVIEW_OUTCOMES } from "../domain/lifecycle/statuses.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { reason, safeText, taskRef, timestamp, uuid } from "./http/schemas.ts";
import {
  MOVE_ERRORS,
  movedFields,
  optedIn,
  replyMoved,
  runAttachedWorkflows,
} from "./shapes/moved.ts";
import { stepStatus } from "./shapes/task.ts";

const reviewFields = {
  id: uuid,
  stepId: uuid,
  kind: z.enum(REVIEW_KINDS),
  outcome: z.enum(REVIEW_OUTCOMES),
  sequence: z.int().openapi({ description: "Numbered per task; order is by it, never by clock." }),
  notes: z.string().nullable(),
};

const taskParams = z.strictObject({ taskId: taskRef });

const postReview = defineContract({
  operationId: "recordReview",
  method: "POST",
  path: "/tasks/{taskId}/reviews",
  summary: "Record a verdict on the current step",
  description:
    "It may carry a `move`: a transition of the same step that happens with it, or neither does. Automation (the service role) records automated reviews without a move.",
  tags: ["Reviews and workers"],
  role: "reviewer",
  service: true,
  params: taskParams,
  body: z
    .strictObject({
      kind: z.enum(REVIEW_KINDS),
      outcome: z.enum(REVIEW_OUTCOMES),
      notes: safeText(20_000).optional(),
      move: z
        .strictObject({
          status: stepStatus,
          reason: reason.optional(),
          duplicateOf: taskRef.optional(),
          runAttachedWorkflows,
        })
        .optional(),
    })
    .openapi("RecordReview"),
  response: {
    status: 201,
    description: "The verdict stands.",
    schema: z
      .strictObject({ review: z.strictObject(reviewFields), ...movedFields })
      .openapi("Reviewed"),
    headers: ["ETag"],
  },
  errors: [...MOVE_ERRORS, "invalid_transition", "gate_closed", "already_in_status"],
  idempotency: "optional",
  concurrency: true,
});

const getReviews = defineContract({
  operationId: "listTaskReviews",
  method: "GET",
  path: "/tasks/{taskId}/reviews",
  summary: "Every verdict on a task's steps",
  description: "In the order in which they count.",
  tags: ["Reviews and workers"],
  role: "viewer",
  params: taskParams,
  response: {
    status: 200,
    description: "The reviews.",
    schema: z.strictObject({
      data: z.array(
        z
          .strictObject({
            ...reviewFields,
            versionId: uuid,
            reviewer: z.strictObject({ id: z.string(), name: z.string() }),
            createdAt: timestamp,
          })
          .openapi("Review"),
      ),
      nextCursor: z.null(),
    }),
  },
  errors: ["not_found"],
});

export const reviewRoutes: readonly Route[] = [
  createHandler(postReview, async (call, { params, body }) =>
    replyMoved(
      await recordReview(call, {
        ...body,
        task: params.taskId,
        move: body.move && {
          ...body.move,
          runAttachedWorkflows: optedIn(body.move.runAttachedWorkflows, call.actor),
        },
      }),
    ),
  ),
  createHandler(getReviews, async ({ database }, { params }) => {
    const reviews = await listReviews(database, params.taskId);
    return reviews === null ? refuse(notFound()) : reply({ data: reviews, nextCursor: null });
  }),
];
