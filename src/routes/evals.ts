import * as z from "zod";
import { createEval } from "../actions/evals/create-eval.ts";
import { recordEvaluation } from "../actions/evals/record-evaluation.ts";
import { updateEval } from "../actions/evals/update-eval.ts";
import { evalEventView } from "../actions/views/event-view.ts";
import { type EvalFilter, findEval, listEvals, readEvalChunk } from "../db/evals/evals.ts";
import { type EvalEventFilter, listEvalEvents } from "../db/history/list-events.ts";
import { verifyEvalHistory } from "../db/history/history-chain.ts";
import { RECORD_OUTCOMES } from "../domain/evals/decide/record.ts";
import { TRIALS_MAX } from "../domain/evals/decision.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import {
  type FilterQuery,
  listedTaskRef,
  page,
  paging,
  reason,
  taskRef,
  uuid,
} from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import {
  evalName,
  evalShape,
  evalStatus,
  modelName,
  resultFields,
  slotBy,
  trialCount,
  usage,
} from "./shapes/eval.ts";
import { evalEvent, evalEventType, historyVerdict } from "./shapes/event.ts";
import { answerEvents, bySeq, eventFilterQuery } from "./shapes/event-list.ts";
import { makerDetailsInput, makerDetailsOf } from "./shapes/maker.ts";

const VERSION_MAX = 2_147_483_647;
const tags = ["Evals, trials, and insights"] as const;

const postEval = defineContract({
  operationId: "createEval",
  method: "POST",
  path: "/tasks/{taskId}/evals",
  summary: "Create an eval",
  description:
    "Creates an eval with the status `draft` for a version of the task, by default the active one. Returns 409 `conflict` with the existing eval if the version already has one with this name that is not cancelled.",
  tags,
  role: "operator",
  service: true,
  params: z.strictObject({ taskId: taskRef }),
  body: z
    .strictObject({
      name: evalName,
      k: trialCount,
      slotBy: slotBy.optional(),
      versionNumber: z.int().min(1).max(VERSION_MAX).optional(),
    })
    .openapi("CreateEval"),
  example: { name: "accuracy", k: 2 },
  response: { status: 201, description: "The eval.", schema: evalShape, headers: ["Location"] },
  errors: ["not_found", "archived", "conflict", "stale"],
  idempotency: "optional",
});

const evalFilterQuery = {
  task: taskRef.optional(),
  name: evalName.optional(),
  status: evalStatus.optional(),
  model: modelName.optional().openapi({
    description: "Evals with a trial of this model that is not retracted.",
  }),
} satisfies FilterQuery<EvalFilter>;

const getEvals = defineContract({
  operationId: "listEvals",
  method: "GET",
  path: "/evals",
  summary: "List evals",
  description: "Returns the evals that match every given filter, newest first.",
  tags,
  role: "viewer",
  query: z.strictObject({
    ...evalFilterQuery,
    ...paging,
  }),
  response: { status: 200, description: "A page of evals.", schema: page(evalShape) },
  errors: ["invalid_cursor"],
});

const exports = exportRoutesOf({
  plural: "evals",
  tags,
  description:
    "Exports all evals that match the filter, each once, in the order in which they were created.",
  query: z.strictObject(evalFilterQuery),
  read: ({ database }, filter, after: string | null) => readEvalChunk(database, filter, after),
  columns: {
    id: (item) => item.id,
    taskId: (item) => item.taskId,
    versionId: (item) => item.versionId,
    versionNumber: (item) => item.versionNumber,
    name: (item) => item.name,
    k: (item) => item.k,
    slotBy: (item) => item.slotBy.join(" "),
    status: (item) => item.status,
    twinOf: (item) => item.twinOf,
    eventSeq: (item) => item.eventSeq,
    createdAt: (item) => item.createdAt,
    updatedAt: (item) => item.updatedAt,
  },
});

const ofEval = {
  tags,
  role: "viewer",
  params: z.strictObject({ evalId: uuid }),
  errors: ["not_found"],
} as const;

const getEval = defineContract({
  ...ofEval,
  operationId: "getEval",
  method: "GET",
  path: "/evals/{evalId}",
  summary: "Retrieve an eval",
  description: "Returns the eval with its status.",
  response: { status: 200, description: "The eval.", schema: evalShape, headers: ["ETag"] },
});

const patchEval = defineContract({
  ...ofEval,
  operationId: "transitionEval",
  method: "PATCH",
  path: "/evals/{evalId}",
  summary: "Change an eval",
  description:
    "Changes the status as the table `evalTransitions` of `GET /v1/registry` allows, or raises `k`, or both. A cancelled eval accepts no more trials. Returns 409 `conflict` for a `k` that is smaller than the eval's, because `k` never falls.",
  role: "operator",
  service: true,
  body: z
    .strictObject({
      status: evalStatus.optional(),
      k: trialCount.optional(),
      reason: reason.optional(),
    })
    .refine(({ status, k }) => status !== undefined || k !== undefined, {
      error: "Set the status or k.",
    })
    .openapi("TransitionEval"),
  example: { status: "completed" },
  response: { status: 200, description: "The eval.", schema: evalShape },
  errors: ["not_found", "invalid_transition", "already_in_status", "conflict", "stale"],
  idempotency: "optional",
});

const getEvalEvents = defineContract({
  ...ofEval,
  operationId: "listEvalEvents",
  method: "GET",
  path: "/evals/{evalId}/events",
  summary: "List an eval's events",
  description:
    "Returns the events of the eval's own history, which is separate from the task's, that match every given filter. Events are numbered from 1 without gaps, and each event's hash covers its own content and the hash of the previous event.",
  query: z.strictObject({
    ...(eventFilterQuery(evalEventType) satisfies FilterQuery<EvalEventFilter>),
    ...bySeq(),
  }),
  response: { status: 200, description: "A page of events, by `seq`.", schema: page(evalEvent) },
  errors: ["not_found", "invalid_cursor"],
});

const getEvalVerdict = defineContract({
  ...ofEval,
  operationId: "verifyEvalEvents",
  method: "GET",
  path: "/evals/{evalId}/events/verify",
  summary: "Verify an eval's history",
  description:
    "Rebuilds the canonical text of every event from its stored fields, recomputes the hash chain, and compares it with the head that is stored on the eval.",
  response: {
    status: 200,
    description: "The result of the verification.",
    schema: historyVerdict,
  },
});

const count = z.int().min(0);

const postRecord = defineContract({
  operationId: "recordEvaluation",
  method: "POST",
  path: "/evals/record",
  summary: "Record an evaluation",
  description: `Records up to ${TRIALS_MAX} results of one evaluation across many tasks. Each result becomes a trial of the eval with that name on the task's active version; if there is no such eval, one is created with the status \`running\`. Each result succeeds or fails separately. A result whose slot has a trial returns \`exists\` if everything about it is equal, including its maker, score, error, output, and usage. Otherwise it returns \`conflict\` with \`existing\` and \`differs\`. It also returns \`conflict\` if the eval has another \`slotBy\` than the call names, or if the task is archived and has no such eval. An eval with a smaller \`k\` is raised to that of the call; one with a larger \`k\` keeps it. \`usage\` is stored as an insight of kind \`trial\`, which is kept if the trial is retracted. You can repeat a call in whole or in part.`,
  tags,
  role: "operator",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({
      name: evalName,
      k: trialCount,
      slotBy: slotBy.optional().openapi({
        description:
          "The members that distinguish trials with the same `k`, for evals that the call creates. An existing eval must have the same members. Default: that of the existing eval, or `model` alone.",
      }),
      results: z
        .array(
          z.strictObject({
            task: listedTaskRef,
            model: modelName,
            ...makerDetailsInput,
            k: trialCount.openapi({
              description: "The number of this trial among those of its slot, from 1.",
            }),
            ...resultFields,
            usage: usage.optional(),
          }),
        )
        .min(1)
        .max(TRIALS_MAX),
      complete: z.boolean().optional().openapi({
        description:
          "Whether the evaluation is complete. If `true`, each `running` eval that has one of these results, recorded now or earlier, becomes `completed`, unless its `k` is larger than that of the call. A completed eval still accepts trials.",
      }),
    })
    .openapi("RecordEvaluation"),
  example: {
    name: "accuracy",
    k: 1,
    results: [{ task: "ext:gsm8k-0042", model: "solver-7b", k: 1, passed: true }],
    complete: true,
  },
  response: {
    status: 200,
    description: "The outcome of each result.",
    schema: z
      .strictObject({
        counts: z.strictObject({
          requested: count,
          recorded: count,
          exists: count,
          conflict: count,
          not_found: count,
        }),
        items: z.array(
          z.strictObject({
            index: count,
            outcome: z.enum(RECORD_OUTCOMES),
            evalId: uuid.optional(),
            trialId: uuid.optional().openapi({
              description: "The recorded trial, or the existing trial on this slot.",
            }),
            existing: z.strictObject({ id: uuid }).optional().openapi({
              description: "For a conflict with a trial: that trial.",
            }),
            differs: z
              .array(
                z
                  .strictObject({
                    field: z.string(),
                    existing: z.unknown(),
                    reported: z.unknown(),
                  })
                  .openapi("FieldDifference"),
              )
              .readonly()
              .optional()
              .openapi({
                description:
                  "For a conflict with a trial: every field in which the result differs from it, with both values. Long values are cut.",
              }),
            detail: z.string().optional().openapi({ description: "The reason for a conflict." }),
          }),
        ),
      })
      .openapi("RecordedEvaluation"),
  },
  errors: ["stale"],
  idempotency: "optional",
});

export const evalRoutes: readonly Route[] = [
  createHandler(postEval, async (call, { params, body }) =>
    replyTo(await createEval(call, { task: params.taskId, ...body }), ({ id }) => ({
      headers: { location: `/v1/evals/${id}` },
    })),
  ),
  createHandler(getEvals, (call, { query: { limit, cursor, ...filter } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getEvals.operationId,
        filter,
        sort: "-id",
        position: uuid,
        read: (after, limit) => listEvals(call.database, filter, { after, limit }),
        positionOf: ({ id }) => id,
        itemOf: (row) => row,
      },
    ),
  ),
  createHandler(getEval, async ({ database }, { params }) => {
    const found = await findEval(database, params.evalId);
    return found === null ? refuse(notFound()) : reply(found, { etag: found.eventSeq });
  }),
  createHandler(patchEval, async (call, { params, body }) =>
    replyTo(await updateEval(call, { ...params, ...body })),
  ),
  createHandler(getEvalEvents, (call, { params, query }) =>
    answerEvents(call, query, {
      operationId: getEvalEvents.operationId,
      params,
      read: (filter, range) => listEvalEvents(call.database, params.evalId, filter, range),
      positionOf: ({ seq }) => seq,
      itemOf: evalEventView,
    }),
  ),
  createHandler(getEvalVerdict, async ({ database }, { params }) => {
    const verdict = await verifyEvalHistory(database, params.evalId);
    if (verdict === null) return refuse(notFound());
    return reply({ valid: verdict.firstBroken === null, ...verdict });
  }),
  createHandler(
    postRecord,
    async (call, { body: { results, slotBy: members, complete = false, ...evaluation } }) =>
      replyTo(
        await recordEvaluation(call, {
          ...evaluation,
          slotBy: members,
          complete,
          results: results.map((result) => ({
            ...result,
            ...makerDetailsOf(result),
            usage: result.usage ?? null,
          })),
        }),
      ),
  ),
  ...exports,
];
