import * as z from "zod";
import { claimRuns } from "../actions/runs/claim-runs.ts";
import { reportRun } from "../actions/runs/report-run.ts";
import { startRun } from "../actions/runs/start-run.ts";
import { listLateReports } from "../db/runs/late-reports.ts";
import { listRuns, type RunFilter } from "../db/runs/worker-runs.ts";
import { ASIDE_REASONS } from "../domain/lifecycle/decision.ts";
import { REVIEW_OUTCOMES, RUN_STATES, WORKER_TYPES } from "../domain/lifecycle/statuses.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import {
  type FilterQuery,
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

const lateReport = z
  .strictObject({
    id: uuid,
    state: runState.nullable().openapi({
      description:
        "Null in a report that an early release kept. It stored only the result, the error, and the time.",
    }),
    verdict: z.enum(REVIEW_OUTCOMES).nullable(),
    result: z.unknown(),
    error: z.string().nullable(),
    attempt: z.int().nullable().openapi({ description: "The attempt that the report named." }),
    reporter: z.strictObject({ id: z.string(), name: z.string() }).nullable(),
    requestId: z.string().nullable(),
    at: timestamp,
  })
  .openapi("LateReport");

const run = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    stepId: uuid,
    type: workerType,
    state: runState,
    attempt: z.int().openapi({
      description: "The number of times that a worker claimed the run.",
    }),
    offered: z.boolean().openapi({ description: "Whether workers can claim the run." }),
    leaseUntil: timestamp.nullable().openapi({
      description: "When the claimant's lease ends. Null after the first report.",
    }),
    externalRef: z.string().nullable(),
    deadlineAt: timestamp,
    verdict: z.enum(REVIEW_OUTCOMES).nullable().openapi({
      description: "The verdict that the run ended with. Null if it has none.",
    }),
    result: z.unknown(),
    error: z.string().nullable(),
    lateReports: z.int().openapi({
      description:
        "The number of reports that came after the run had ended. They changed nothing. `GET /worker-runs/{runId}/late-reports` returns them.",
    }),
    lateReport: z.union([lateReport, z.null()]).openapi({ description: "The newest of them." }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("WorkerRun");

const postRun = defineContract({
  operationId: "startRun",
  method: "POST",
  path: "/tasks/{taskId}/worker-runs",
  summary: "Start a worker run",
  description:
    "Creates a worker run for the task's current step. It stays `QUEUED` until its worker reports.",
  tags: ["Reviews and workers"],
  role: "admin",
  service: true,
  params: z.strictObject({ taskId: taskRef }),
  body: z.strictObject({ type: workerType, externalRef: name(500).optional() }).openapi("StartRun"),
  example: { type: "OUTPUT_GENERATION", externalRef: "job-7" },
  response: { status: 201, description: "The new run.", schema: run },
  errors: ["not_found", "archived"],
  idempotency: "optional",
});

/** Per call. */
const RUNS_CLAIMED_MAX = 100;
const LEASE_SECONDS = { min: 5, max: 3600, default: 60 } as const;

const claim = defineContract({
  operationId: "claimRuns",
  method: "POST",
  path: "/worker-runs/claim",
  summary: "Claim worker runs",
  description:
    "Claims queued runs for a worker that polls. Pipelines without an endpoint queue their runs here. Each run is leased to one caller. After the caller's first report the lease no longer matters, only the run's deadline. If a lease ends before the first report, the run can be claimed again with the next `attempt`. Runs are claimed by task priority, highest first, and then by age. Returns an empty list if no run is waiting.",
  tags: ["Reviews and workers"],
  role: "admin",
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
        .openapi({
          description: "The duration of the lease, in seconds: the time until the first report.",
        }),
    })
    .openapi("ClaimRuns"),
  example: { types: ["QUALITY_AUTOMATION"], max: 1, leaseSeconds: 60 },
  response: {
    status: 200,
    description: "The claimed runs, each with its task, version, and step.",
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
  summary: "Report on a worker run",
  description:
    "Reports the state of a run and renews its deadline. If the run's step is still the task's current step, the report also changes the step's status, as the table `reportEffects` of `GET /v1/registry` says. A successful quality check must include a `verdict`, and a successful scoring can. A report after the run has ended changes nothing. It is kept among the late reports of the run, unless it only repeats how the run ended. `keptAside` says if a report, or the move that it asks for, was only recorded. If a worker claimed the run, every report requires the `attempt` of the claim. The first report must come from the holder of the lease; otherwise the call returns 409 `lease_lost`, as it does for a different `attempt`.",
  tags: ["Reviews and workers"],
  role: "admin",
  service: true,
  params: z.strictObject({ runId: uuid }),
  body: z
    .strictObject({
      state: runState,
      attempt: z.int().min(1).optional().openapi({
        description: "The run's `attempt` when the worker claimed it. Required if one did.",
      }),
      verdict: z.enum(REVIEW_OUTCOMES).optional(),
      result: freeFormValue.optional(),
      error: safeText(20_000).optional(),
    })
    .openapi("ReportRun"),
  example: { state: "SUCCEEDED", verdict: "passed", result: { score: 0.98 } },
  response: {
    status: 200,
    description: "The run, the task, and the events that the report wrote.",
    schema: z
      .strictObject({
        run: run.pick({ id: true, taskId: true, stepId: true, type: true, state: true }),
        keptAside: z
          .strictObject({ reason: z.enum(ASIDE_REASONS), detail: z.string() })
          .nullable()
          .openapi({
            description:
              "What of the report was only recorded: all of it (`run_ended`), or the move that it asks for (`step_left`, `deferred`, `move_refused`). Null if nothing was.",
          }),
        ...movedFields,
      })
      .openapi("Reported"),
    headers: ["ETag"],
  },
  errors: [...MOVE_ERRORS, "invalid_transition", "lease_lost"],
  idempotency: "optional",
  concurrency: true,
});

const runFilterQuery = {
  task: taskRef.optional(),
  stepId: uuid.optional(),
  type: workerType.optional(),
  state: runState.optional(),
} satisfies FilterQuery<RunFilter>;

const getRuns = defineContract({
  operationId: "listRuns",
  method: "GET",
  path: "/worker-runs",
  summary: "List worker runs",
  description: "Returns the worker runs that match every given filter, newest first.",
  tags: ["Reviews and workers"],
  role: "viewer",
  query: z.strictObject({
    ...runFilterQuery,
    ...paging,
  }),
  response: { status: 200, description: "A page of runs.", schema: page(run) },
  errors: ["invalid_cursor"],
});

const getLateReports = defineContract({
  operationId: "listLateReports",
  method: "GET",
  path: "/worker-runs/{runId}/late-reports",
  summary: "List a run's late reports",
  description:
    "Returns the reports that came after the run had ended, newest first. Each is kept whole and changed nothing.",
  tags: ["Reviews and workers"],
  role: "viewer",
  params: z.strictObject({ runId: uuid }),
  query: z.strictObject(paging),
  response: { status: 200, description: "A page of reports.", schema: page(lateReport) },
  errors: ["not_found", "invalid_cursor"],
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
  createHandler(getLateReports, (call, { params: { runId }, query: { limit, cursor } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getLateReports.operationId,
        filter: { runId },
        sort: "-id",
        position: uuid,
        read: (after, rows) => listLateReports(call.database, runId, { limit: rows, after }),
        positionOf: ({ id }) => id,
        itemOf: (found) => found,
      },
    ),
  ),
];
