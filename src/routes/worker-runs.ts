import { z } from "@hono/zod-openapi";
import { reportRun } from "../actions/report-run.ts";
import { startRun } from "../actions/start-run.ts";
import { listRuns } from "../db/worker-runs.ts";
import { REVIEW_OUTCOMES, RUN_STATES, WORKER_TYPES } from "../domain/lifecycle/statuses.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { type CursorBinding, decodeCursor, encodeCursor } from "./http/cursor.ts";
import {
  freeFormValue,
  name,
  page,
  paging,
  safeText,
  taskRef,
  timestamp,
  uuid,
} from "./http/schemas.ts";
import { MOVE_ERRORS, movedFields, replyMoved } from "./shapes/moved.ts";

const workerType = z.enum(WORKER_TYPES).openapi("WorkerType");
const runState = z.enum(RUN_STATES).openapi("RunState");

const run = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    stepId: uuid,
    type: workerType,
    state: runState,
    attempt: z.int(),
    externalRef: z.string().nullable(),
    deadlineAt: timestamp,
    result: z.unknown(),
    error: z.string().nullable(),
    lateReport: z
      .strictObject({ result: z.unknown(), error: z.string().nullable(), at: timestamp })
      .nullable()
      .openapi({ description: "What was reported after the end; nothing follows from it." }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("WorkerRun");

const postRun = defineContract({
  operationId: "startRun",
  method: "POST",
  path: "/tasks/{taskId}/worker-runs",
  summary: "Open a worker run on the current step",
  description: "It is QUEUED until its worker reports.",
  tags: ["Reviews and workers"],
  role: "service",
  service: true,
  params: z.strictObject({ taskId: taskRef }),
  body: z.strictObject({ type: workerType, externalRef: name(500).optional() }).openapi("StartRun"),
  response: { status: 201, description: "The run waits for its worker.", schema: run },
  errors: ["not_found", "archived"],
  idempotency: "optional",
});

const patchRun = defineContract({
  operationId: "reportRun",
  method: "PATCH",
  path: "/worker-runs/{runId}",
  summary: "Report what became of a run",
  description:
    "The report moves the run's step as the tables say, where that step is still the current one. A quality check that succeeded brings its verdict. A late report is kept on the run alone.",
  tags: ["Reviews and workers"],
  role: "service",
  service: true,
  params: z.strictObject({ runId: uuid }),
  body: z
    .strictObject({
      state: runState,
      verdict: z.enum(REVIEW_OUTCOMES).optional(),
      result: freeFormValue.optional(),
      error: safeText(20_000).optional(),
    })
    .openapi("ReportRun"),
  response: {
    status: 200,
    description: "What followed from it.",
    schema: z
      .strictObject({
        run: run.pick({ id: true, taskId: true, stepId: true, type: true, state: true }),
        ...movedFields,
      })
      .openapi("Reported"),
    headers: ["ETag"],
  },
  errors: [...MOVE_ERRORS, "invalid_transition"],
  idempotency: "optional",
  concurrency: true,
});

const getRuns = defineContract({
  operationId: "listRuns",
  method: "GET",
  path: "/worker-runs",
  summary: "Worker runs, newest first",
  tags: ["Reviews and workers"],
  role: "viewer",
  query: z.strictObject({
    task: taskRef.optional(),
    stepId: uuid.optional(),
    type: workerType.optional(),
    state: runState.optional(),
    ...paging,
  }),
  response: { status: 200, description: "A page of runs.", schema: page(run) },
  errors: ["invalid_cursor"],
});

export const workerRunRoutes: readonly Route[] = [
  createHandler(postRun, async (call, { params, body }) => {
    const outcome = await startRun(call, { task: params.taskId, ...body });
    return outcome.ok ? reply(outcome.value.value, { replayed: outcome.value.replayed }) : outcome;
  }),
  createHandler(patchRun, async (call, { params, body }) =>
    replyMoved(await reportRun(call, { runId: params.runId, ...body })),
  ),
  createHandler(getRuns, async ({ database, signer, tenantId }, { query }) => {
    const { limit, cursor, ...filter } = query;
    const binding: CursorBinding = { tenantId, operationId: "listRuns", filter, sort: "-id" };
    const after = cursor === undefined ? null : await decodeCursor(signer, binding, cursor, uuid);
    if (after !== null && !after.ok) return after;
    const runs = await listRuns(database, filter, {
      limit: limit + 1,
      after: after?.value ?? null,
    });
    const data = runs.slice(0, limit);
    const last = data.at(-1);
    const isMore = runs.length > limit && last !== undefined;
    return reply({
      data,
      nextCursor: isMore ? await encodeCursor(signer, binding, last.id) : null,
    });
  }),
];
