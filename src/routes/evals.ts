import * as z from "zod";
import { createEval } from "../actions/evals/create-eval.ts";
import { recordEvaluation } from "../actions/evals/record-evaluation.ts";
import { transitionEval } from "../actions/evals/transition-eval.ts";
import { evalEventView } from "../actions/views/event-view.ts";
import { findEval, listEvals } from "../db/evals/evals.ts";
import { listEvalEvents } from "../db/history/events.ts";
import { verifyEvalHistory } from "../db/history/history-chain.ts";
import { RECORD_OUTCOMES } from "../domain/evals/decide/record.ts";
import { TRIALS_MAX } from "../domain/evals/decision.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { page, paging, reason, taskRef, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import {
  evalName,
  evalShape,
  evalStatus,
  makerFields,
  makerOf,
  modelName,
  resultFields,
  trialCount,
  usage,
} from "./shapes/eval.ts";
import { evalEvent, historyVerdict } from "./shapes/event.ts";

const VERSION_MAX = 2_147_483_647;
const tags = ["Evals, trials, insights"] as const;

const postEval = defineContract({
  operationId: "createEval",
  method: "POST",
  path: "/tasks/{taskId}/evals",
  summary: "Open an eval over a version of a task",
  description: "As a draft, over the active version where none is named.",
  tags,
  role: "operator",
  service: true,
  params: z.strictObject({ taskId: taskRef }),
  body: z
    .strictObject({
      name: evalName,
      k: trialCount,
      versionNumber: z.int().min(1).max(VERSION_MAX).optional(),
    })
    .openapi("CreateEval"),
  response: { status: 201, description: "The eval.", schema: evalShape, headers: ["Location"] },
  errors: ["not_found", "archived", "stale"],
  idempotency: "optional",
});

const getEvals = defineContract({
  operationId: "listEvals",
  method: "GET",
  path: "/evals",
  summary: "Evals, newest first",
  tags,
  role: "viewer",
  query: z.strictObject({
    task: taskRef.optional(),
    name: evalName.optional(),
    status: evalStatus.optional(),
    model: modelName.optional().openapi({
      description: "A model that the eval has a trial of, retracted ones aside.",
    }),
    ...paging,
  }),
  response: { status: 200, description: "A page of evals.", schema: page(evalShape) },
  errors: ["invalid_cursor"],
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
  summary: "One eval",
  response: { status: 200, description: "The eval.", schema: evalShape, headers: ["ETag"] },
});

const patchEval = defineContract({
  ...ofEval,
  operationId: "transitionEval",
  method: "PATCH",
  path: "/evals/{evalId}",
  summary: "Change an eval's status",
  description:
    "Along the table of evals (`GET /v1/registry`); a cancelled one takes no more trials.",
  role: "operator",
  service: true,
  body: z.strictObject({ status: evalStatus, reason: reason.optional() }).openapi("TransitionEval"),
  response: { status: 200, description: "The eval.", schema: evalShape },
  errors: ["not_found", "invalid_transition", "already_in_status", "stale"],
  idempotency: "optional",
});

const getEvalEvents = defineContract({
  ...ofEval,
  operationId: "listEvalEvents",
  method: "GET",
  path: "/evals/{evalId}/events",
  summary: "The events of an eval",
  description:
    "Its own history, apart from the task's: numbered from 1 without a gap, each hashed over itself and the one before.",
  query: z.strictObject(paging),
  response: { status: 200, description: "A page of events, by `seq`.", schema: page(evalEvent) },
  errors: ["not_found", "invalid_cursor"],
});

const getEvalVerdict = defineContract({
  ...ofEval,
  operationId: "verifyEvalEvents",
  method: "GET",
  path: "/evals/{evalId}/events/verify",
  summary: "Whether an eval's history is whole and unchanged",
  description:
    "Spells every event anew from its columns, recomputes the hash chain and compares it with the eval's head.",
  response: { status: 200, description: "What was found.", schema: historyVerdict },
});

const count = z.int().min(0);

const postRecord = defineContract({
  operationId: "recordEvaluation",
  method: "POST",
  path: "/evals/record",
  summary: "Record one evaluation over many tasks",
  description:
    "Each result becomes a trial of the eval of that name that the task's active version has; where it has none, one is opened, `running`. Each is judged by itself: what is there already with the same revision, status and score `exists`; a slot that another revision or another result holds is a `conflict`, and so is an eval of that name with another k, or an archived task without one. `usage` is kept as an insight of kind `trial`, which outlives the trial's retraction. With `complete`, the evals that have one of the results and are `running` become `completed`. A call can be repeated, in parts or whole.",
  tags,
  role: "operator",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({
      name: evalName,
      k: trialCount,
      results: z
        .array(
          z.strictObject({
            task: taskRef,
            model: modelName,
            ...makerFields,
            k: trialCount.openapi({ description: "Which of the model's trials it is." }),
            ...resultFields,
            usage: usage.optional(),
          }),
        )
        .min(1)
        .max(TRIALS_MAX),
      complete: z.boolean().optional().openapi({
        description:
          "Says that all trials are in: a running eval that has one of these results, recorded now or before, is completed by an event after theirs. Trials are taken afterwards too. false where it is not given.",
      }),
    })
    .openapi("RecordEvaluation"),
  response: {
    status: 200,
    description: "What became of each result.",
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
              description: "The trial that was recorded, or that holds the slot.",
            }),
            detail: z.string().optional().openapi({ description: "Why it is a conflict." }),
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
    replyTo(await transitionEval(call, { ...params, ...body })),
  ),
  createHandler(getEvalEvents, (call, { params, query }) =>
    answerPage(call, query, {
      operationId: getEvalEvents.operationId,
      filter: params,
      sort: "seq",
      position: z.int(),
      read: (after, limit) =>
        listEvalEvents(call.database, params.evalId, { after: after ?? 0, limit }),
      positionOf: ({ seq }) => seq,
      itemOf: evalEventView,
    }),
  ),
  createHandler(getEvalVerdict, async ({ database }, { params }) => {
    const verdict = await verifyEvalHistory(database, params.evalId);
    if (verdict === null) return refuse(notFound());
    return reply({ valid: verdict.firstBroken === null, ...verdict });
  }),
  createHandler(postRecord, async (call, { body: { name, k, results, complete = false } }) =>
    replyTo(
      await recordEvaluation(call, {
        name,
        k,
        complete,
        results: results.map((result) => ({
          ...result,
          ...makerOf(result),
          usage: result.usage ?? null,
        })),
      }),
    ),
  ),
];
