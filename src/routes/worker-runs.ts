import * as z from "zod";
import { claimRuns } from "../actions/runs/claim-runs.ts";
import { reportRun } from "../actions/runs/report-run.ts";
import { startRun } from "../actions/runs/start-run.ts";
import { listRuns } from "../db/runs/worker-runs.ts";
import { REVIEW_OUTCOMES, RUN_STATES, WORKER_TYPES } from "../domain/lifecycle/statuses.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
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
import { answerPage } from "./http/paging.ts";
import { MOVE_ERRORS, movedFields, replyMoved } from "./shapes/moved.ts";
import { step, task } from "./shapes/task.ts";

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
    attempt: z.int().openapi({ description: "How often it was handed out to a worker." }),
    offered: z.boolean().openapi({ description: "Whether it waits for workers that poll." }),
    leaseUntil: timestamp.nullable().openapi({
      description: "Until when it is the claimant's alone; null from its first report on.",
    }),
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

/** A queue of runs is worked off by asking again. */
const RUNS_CLAIMED_MAX = 100;
const LEASE_SECONDS = { min: 5, max: 3600, default: 60 } as const;

const claim = defineContract({
  operationId: "claimRuns",
  method: "POST",
  path: "/worker-runs/claim",
  summary: "Take runs that wait for a worker",
  description:
    "For workers that poll: pipelines without an endpoint put their runs here. Each run is the caller's alone until its lease ends; the first report makes it the caller's for good, and from then on only its deadline counts. A run whose lease ends before that is handed out again, at the next attempt. The most urgent task comes first, then the oldest run; no two callers get the same. An answer without runs is no error: ask again later.",
  tags: ["Reviews and workers"],
  role: "service",
  service: true,
  body: z
    .strictObject({
      types: z.array(workerType).min(1).max(WORKER_TYPES.length),
      max: z.int().min(1).max(RUNS_CLAIMED_MAX).default(1),
      leaseSeconds: z
        .int()
        .min(LEASE_SECONDS.min)
        .max(LEASE_SECONDS.max)
        .default(LEASE_SECONDS.default)
        .openapi({ description: "How long the worker needs until its first report." }),
    })
    .openapi("ClaimRuns"),
  response: {
    status: 200,
    description: "The runs that are the caller's now.",
    schema: z
      .strictObject({
        data: z.array(
          z
            .strictObject({
              run,
              task,
              version: z.strictObject({ id: uuid, number: z.int(), contentHash: z.string() }),
              step,
            })
            .openapi("Work"),
        ),
      })
      .openapi("ClaimedRuns"),
  },
  errors: [],
  idempotency: "optional",
});

const patchRun = defineContract({
  operationId: "reportRun",
  method: "PATCH",
  path: "/worker-runs/{runId}",
  summary: "Report what became of a run",
  description:
    "The report moves the run's step as the tables say, where that step is still the current one. A quality check that succeeded brings its verdict. A late report is kept on the run alone. Each report renews the run's deadline. A run that was claimed takes its first report from whoever holds its lease, and no report that names another attempt.",
  tags: ["Reviews and workers"],
  role: "service",
  service: true,
  params: z.strictObject({ runId: uuid }),
  body: z
    .strictObject({
      state: runState,
      attempt: z
        .int()
        .min(1)
        .optional()
        .openapi({ description: "The attempt that the worker was given: another one is refused." }),
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
  errors: [...MOVE_ERRORS, "invalid_transition", "lease_lost"],
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
  createHandler(claim, async (call, { body }) => {
    const outcome = await claimRuns(call, body);
    if (!outcome.ok) return outcome;
    const { value: data, replayed } = outcome.value;
    return reply({ data }, { replayed });
  }),
  createHandler(patchRun, async (call, { params, body }) =>
    replyMoved(await reportRun(call, { runId: params.runId, ...body })),
  ),
  createHandler(getRuns, (call, { query: { limit, cursor, ...filter } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getRuns.operationId,
        filter,
        sort: "-id",
        position: uuid,
        read: (after, rows) => listRuns(call.database, filter, { limit: rows, after }),
        positionOf: ({ id }) => id,
        itemOf: (found) => found,
      },
    ),
  ),
];
