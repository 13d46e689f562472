import * as z from "zod";
import { recordReview } from "../actions/reviews/record-review.ts";
import { withdrawReview } from "../actions/reviews/withdraw-review.ts";
import {
  listReviews,
  listTaskReviews,
  readReviewChunk,
  type ReviewFilter,
} from "../db/reviews/list-reviews.ts";
import { REVIEW_KINDS, REVIEW_OUTCOMES } from "../domain/lifecycle/statuses.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import { answerPage } from "./http/paging.ts";
import {
  afterTime,
  booleanText,
  type FilterQuery,
  page,
  paging,
  reason,
  safeText,
  taskRef,
  timestamp,
  uuid,
  timeOrDay,
} from "./http/schemas.ts";
import {
  MOVE_ERRORS,
  movedFields,
  runAttachedOrDefault,
  replyMoved,
  runAttachedWorkflows,
} from "./shapes/moved.ts";
import { stepStatus } from "./shapes/task.ts";

const reviewFields = {
  id: uuid,
  stepId: uuid,
  kind: z.enum(REVIEW_KINDS),
  outcome: z.enum(REVIEW_OUTCOMES),
  sequence: z.int().openapi({
    description: "The review's number within the task. Reviews are ordered by it, not by time.",
  }),
  notes: z.string().nullable(),
};

const { notes: _, ...withoutNotes } = reviewFields;

const review = z
  .strictObject({
    ...reviewFields,
    taskId: uuid,
    versionId: uuid,
    reviewer: z.strictObject({
      id: z.string(),
      name: z.string(),
      personId: uuid.optional().openapi({
        description: "The person whose API key or token it was. Absent for a machine.",
      }),
    }),
    withdrawn: z.strictObject({ at: timestamp, reason: z.string() }).nullable().openapi({
      description: "When and why the reviewer withdrew it. Null for a review that counts.",
    }),
    createdAt: timestamp,
  })
  .openapi("Review");

const taskParams = z.strictObject({ taskId: taskRef });

const postReview = defineContract({
  operationId: "recordReview",
  method: "POST",
  path: "/tasks/{taskId}/reviews",
  summary: "Record a review",
  description:
    "Records a verdict on the task's current step. With `stepId`, which every client that shows a task should send, the verdict lands on that step or nowhere: if the step is no longer current, the call returns `step_not_current` with the text of the review in `draft`. With `move`, also changes the step's status; either both succeed or neither does. A `passed` review can carry `approved`; a `failed` one can carry `changes_requested`, `rejected` or `duplicate`, of which the last two require a `reason`. The `service` role can record `automated` reviews only, and without a `move`.",
  tags: ["Reviews and workers"],
  role: "reviewer",
  service: true,
  params: taskParams,
  body: z
    .strictObject({
      stepId: uuid.optional().openapi({
        description:
          "The step that the reviewer has read: `currentStep.id` of the task as it was shown. If the task has moved on from this step, the call is refused and nothing is recorded.",
      }),
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
  example: { kind: "automated", outcome: "passed", notes: "Every check passed." },
  response: {
    status: 201,
    description: "The review, the task, and the events that the call wrote.",
    schema: z
      .strictObject({ review: z.strictObject(reviewFields), ...movedFields })
      .openapi("Reviewed"),
    headers: ["ETag"],
  },
  errors: [
    ...MOVE_ERRORS,
    "step_not_current",
    "claim_taken",
    "invalid_transition",
    "gate_closed",
    "already_in_status",
    "conflict",
  ],
  idempotency: "optional",
  concurrency: true,
});

const getReviews = defineContract({
  operationId: "listTaskReviews",
  method: "GET",
  path: "/tasks/{taskId}/reviews",
  summary: "List a task's reviews",
  description: "Returns the reviews of all steps of the task, in the order of `sequence`.",
  tags: ["Reviews and workers"],
  role: "viewer",
  params: taskParams,
  response: {
    status: 200,
    description: "The reviews.",
    schema: z.strictObject({
      data: z.array(review),
      nextCursor: z.null(),
    }),
  },
  errors: ["not_found"],
});

const postWithdrawal = defineContract({
  operationId: "withdrawReview",
  method: "POST",
  path: "/reviews/{reviewId}/withdraw",
  summary: "Withdraw a review",
  description:
    "Takes back a review of one's own, as long as nothing has happened to its task since. The review stays readable and no longer counts. The move that came with it is undone: the step gets its status and gate back, and undelivered dispatches that the move requested, such as a payment, are recalled. Worker runs that the move cancelled stay cancelled. Own is what the same person recorded, with any of their credentials.",
  tags: ["Reviews and workers"],
  role: "reviewer",
  service: true,
  params: z.strictObject({ reviewId: uuid }),
  body: z.strictObject({ reason }).openapi("WithdrawReview"),
  example: { reason: "I read the wrong file." },
  response: {
    status: 200,
    description: "The withdrawn review, the task, and the event that the call wrote.",
    schema: z
      .strictObject({
        review: z.strictObject(withoutNotes),
        ...movedFields,
        recalled: z.int().openapi({
          description: "How many dispatches of the undone move were recalled in time.",
        }),
        alreadyDelivered: z.int().openapi({
          description: "How many dispatches of the undone move were delivered before.",
        }),
      })
      .openapi("Withdrawn"),
    headers: ["ETag"],
  },
  errors: [...MOVE_ERRORS, "already_in_status", "not_revertible"],
  idempotency: "optional",
  concurrency: true,
});

const reviewFilterQuery = {
  task: taskRef.optional(),
  stepId: uuid.optional(),
  kind: z.enum(REVIEW_KINDS).optional(),
  outcome: z.enum(REVIEW_OUTCOMES).optional(),
  withdrawn: booleanText.optional(),
  reviewerId: safeText(262).optional().openapi({
    description: "The credential that recorded it: an API key's id, or a token's subject.",
  }),
  personId: uuid.optional().openapi({
    description: "The person who recorded it, with any of their credentials.",
  }),
  createdAfter: afterTime.optional(),
  createdBefore: timeOrDay.optional(),
} satisfies FilterQuery<ReviewFilter>;

const exports = exportRoutesOf({
  plural: "reviews",
  tags: ["Reviews and workers"],
  description:
    "Exports all reviews that match the filter, including withdrawn ones, each once, in the order in which they were recorded.",
  query: z.strictObject(reviewFilterQuery),
  read: ({ database }, filter, after: string | null) => readReviewChunk(database, filter, after),
  columns: {
    id: (one) => one.id,
    taskId: (one) => one.taskId,
    versionId: (one) => one.versionId,
    stepId: (one) => one.stepId,
    kind: (one) => one.kind,
    outcome: (one) => one.outcome,
    sequence: (one) => one.sequence,
    notes: (one) => one.notes,
    reviewerId: (one) => one.reviewer.id,
    reviewerName: (one) => one.reviewer.name,
    personId: (one) => one.reviewer.personId ?? null,
    withdrawnAt: (one) => one.withdrawn?.at ?? null,
    withdrawReason: (one) => one.withdrawn?.reason ?? null,
    createdAt: (one) => one.createdAt,
  },
});

const getAllReviews = defineContract({
  operationId: "listReviews",
  method: "GET",
  path: "/reviews",
  summary: "List reviews",
  description:
    "Returns the reviews of all tasks that match every given filter, newest first. Withdrawn reviews are included unless `withdrawn` is false.",
  tags: ["Reviews and workers"],
  role: "viewer",
  query: z.strictObject({ ...reviewFilterQuery, ...paging }),
  response: { status: 200, description: "A page of reviews.", schema: page(review) },
  errors: ["invalid_cursor"],
});

export const reviewRoutes: readonly Route[] = [
  createHandler(postReview, async (call, { params, body }) =>
    replyMoved(
      await recordReview(call, {
        ...body,
        task: params.taskId,
        move: body.move && {
          ...body.move,
          runAttachedWorkflows: runAttachedOrDefault(body.move.runAttachedWorkflows, call.actor),
        },
      }),
    ),
  ),
  createHandler(getReviews, async ({ database }, { params }) => {
    const reviews = await listTaskReviews(database, params.taskId);
    return reviews === null ? refuse(notFound()) : reply({ data: reviews, nextCursor: null });
  }),
  createHandler(postWithdrawal, async (call, { params, body }) =>
    replyMoved(await withdrawReview(call, { reviewId: params.reviewId, ...body })),
  ),
  createHandler(getAllReviews, (call, { query: { limit, cursor, ...filter } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getAllReviews.operationId,
        filter,
        sort: "-id",
        position: uuid,
        read: (after, rows) => listReviews(call.database, filter, { after, limit: rows }),
        positionOf: ({ id }) => id,
        itemOf: (found) => found,
      },
    ),
  ),
  ...exports,
];
