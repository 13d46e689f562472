import type { Role } from "../../../src/domain/actor.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { Contract } from "../../../src/routes/http/contract.ts";
import { loadRoutes } from "../../../src/routes/app/areas.ts";
import {
  type Answer,
  type CallOptions,
  expectDone,
  type Place,
  type Tenant,
  type TestApi,
} from "../../support/api.ts";
import { givenDead } from "../../support/dispatches.ts";
import { givenEval } from "../../support/evals.ts";
import { givenOfferedRun } from "../../support/runs.ts";

const routes = await loadRoutes();

/** What a request can name of a tenant. */
export interface Things {
  task: string;
  externalId: string;
  /** An external id that the caller has not given away yet, whoever else may have. */
  freeName: string;
  /** Another task, for those that duplicate it. */
  original: string;
  version: string;
  step: string;
  run: string;
  prompt: string;
  /** Data that was declared, with SAMPLE_CONTENT as its content. */
  data: string;
  /** Data whose content was stored. */
  storedData: string;
  bulkOperation: string;
  dispatch: string;
  /** A dispatch that its endpoint refused. */
  deadDispatch: string;
  /** A bulk operation that nobody has begun with. */
  waitingOperation: string;
  /** A bulk operation of whose tasks one was stale. */
  staleOperation: string;
  eval: string;
  trial: string;
  insight: string;
  apiKey: string;
  webhook: string;
  /** The name of no webhook of the caller's, whoever else may have one. */
  freeWebhook: string;
  delivery: string;
}
type Kind = keyof Things;

/** A lawful request to a route: where it names things, and where the task must stand for it to succeed. */
export interface Sample {
  /** Method and path, as the contract writes them. */
  route: string;
  /** What tells it from the other samples of its route. */
  what?: string;
  /** The role that may; the admin, who may all that a person may, when not said. */
  as?: Role;
  at?: Place;
  isArchived?: true;
  /** Whether a run of the task waits for workers that poll. */
  isOffered?: true;
  /** The places `{like this}` of path, query and body that name a thing, and of which kind it is. */
  names: Readonly<Record<string, Kind>>;
  /** Places that name no thing of a tenant. */
  fixed?: Readonly<Record<string, string>>;
  query?: string;
  body?: unknown;
  /** A body that is no JSON but text as it is. */
  content?: string;
  /**
   * A name of nothing that the caller has gets a 404, but in these places: a filter finds nothing, a list answers
   * item by item, a new name is free.
   */
  goesOnWithout?: readonly string[];
}

const ON_TASK = { names: { taskId: "task" } } as const;
const ON_EVAL = { names: { evalId: "eval" } } as const;
const ON_WEBHOOK = { names: { name: "webhook" } } as const;
const ON_STEP = { names: { stepId: "step" } } as const;
const WAITING_CHECK: Place = { kind: "pre_qa", status: "queued" };
const WAITING_OUTPUT: Place = { kind: "output_generation", status: "queued" };
const PASSED_INGESTION: Place = { kind: "ingestion", status: "approved" };
const OPEN_REVIEW: Place = { kind: "expert_review", status: "in_review" };

/** What samples upload, and what it has to be declared as. */
const SAMPLE_CONTENT = {
  text: "Seventy-two.",
  declared: {
    contentType: "text/plain",
    sizeBytes: 12,
    sha256: "cc15f7045a9635ebb17eba40696080437d7b1b5dadaa69426433f3304dec5155",
  },
};

/** At least one for each route of the contract list, and one for every way in which a route can name a thing. */
export const SAMPLES: readonly Sample[] = [
  { route: "POST /v1/tasks", names: {}, body: { title: "A new task" } },
  {
    route: "POST /v1/tasks",
    what: "under an external id",
    names: { externalId: "freeName" },
    body: { title: "A new task", externalId: "{externalId}" },
    goesOnWithout: ["externalId"],
  },
  {
    route: "POST /v1/tasks",
    what: "with a start",
    names: {},
    body: { title: "A new task", start: { kind: "pre_qa", reason: "Moved here" } },
  },
  { route: "POST /v1/tasks/import", names: {}, body: { tasks: [{ title: "A new task" }] } },
  {
    route: "POST /v1/tasks/import",
    what: "under an external id",
    names: { externalId: "freeName" },
    body: { tasks: [{ title: "A new task", externalId: "{externalId}" }] },
    goesOnWithout: ["externalId"],
  },
  {
    route: "POST /v1/tasks/import",
    what: "with a start",
    names: {},
    body: { tasks: [{ title: "A new task", start: { kind: "pre_qa", reason: "Moved here" } }] },
  },
  { route: "GET /v1/tasks", names: {} },
  {
    route: "GET /v1/tasks",
    what: "by operation and external id",
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    query: "bulkOperationId={bulkOperationId}&externalId={externalId}",
    goesOnWithout: ["bulkOperationId", "externalId"],
  },
  { route: "GET /v1/tasks/counts", names: {} },
  {
    route: "GET /v1/tasks/counts",
    what: "by operation and external id",
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    query: "bulkOperationId={bulkOperationId}&externalId={externalId}",
    goesOnWithout: ["bulkOperationId", "externalId"],
  },
  { route: "GET /v1/tasks/ids", names: {} },
  {
    route: "GET /v1/tasks/ids",
    what: "by operation and external id",
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    query: "bulkOperationId={bulkOperationId}&externalId={externalId}",
    goesOnWithout: ["bulkOperationId", "externalId"],
  },
  {
    route: "POST /v1/tasks/lookup",
    names: { taskId: "task", externalId: "externalId" },
    body: { ids: ["{taskId}", "{externalId}"] },
    goesOnWithout: ["taskId", "externalId"],
  },
  { route: "GET /v1/tasks/{taskId}", ...ON_TASK },
  { route: "GET /v1/tasks/{taskId}", what: "as it was", ...ON_TASK, query: "asOf=seq:1" },
  {
    route: "PATCH /v1/tasks/{taskId}",
    names: { taskId: "task", externalId: "freeName" },
    body: { title: "Another title", externalId: "{externalId}" },
    goesOnWithout: ["externalId"],
  },
  { route: "POST /v1/tasks/{taskId}/archive", ...ON_TASK, body: {} },
  { route: "POST /v1/tasks/{taskId}/restore", ...ON_TASK, isArchived: true, body: {} },
  { route: "POST /v1/tasks/{taskId}/notes", ...ON_TASK, body: { text: "A note" } },
  {
    route: "POST /v1/tasks/{taskId}/versions",
    ...ON_TASK,
    body: { content: { brief: "Anew" }, reason: "The brief was wrong" },
  },
  { route: "GET /v1/tasks/{taskId}/versions", ...ON_TASK },
  { route: "GET /v1/tasks/{taskId}/versions/{number}", ...ON_TASK, fixed: { number: "1" } },
  {
    route: "GET /v1/tasks/{taskId}/versions/{number}/diff/{other}",
    ...ON_TASK,
    fixed: { number: "1", other: "1" },
  },
  { route: "GET /v1/tasks/{taskId}/status", ...ON_TASK },
  { route: "GET /v1/tasks/{taskId}/status", what: "as it was", ...ON_TASK, query: "asOf=seq:1" },
  { route: "GET /v1/tasks/{taskId}/timeline", ...ON_TASK },
  { route: "GET /v1/tasks/{taskId}/lineage", ...ON_TASK },
  { route: "GET /v1/tasks/{taskId}/lineage", what: "as it was", ...ON_TASK, query: "asOf=seq:1" },
  { route: "GET /v1/tasks/{taskId}/events", ...ON_TASK },
  { route: "GET /v1/tasks/{taskId}/events/verify", ...ON_TASK },
  { route: "GET /v1/events", names: {} },
  { route: "GET /v1/events/stream", names: {}, query: "wait=0" },
  { route: "GET /v1/tasks/export.csv", names: {} },
  { route: "GET /v1/tasks/export.ndjson", names: {} },
  { route: "GET /v1/events/export.csv", names: {} },
  { route: "GET /v1/events/export.ndjson", names: {} },
  {
    route: "GET /v1/tasks/export.csv",
    what: "by operation and external id",
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    query: "bulkOperationId={bulkOperationId}&externalId={externalId}",
    goesOnWithout: ["bulkOperationId", "externalId"],
  },
  {
    route: "GET /v1/tasks/export.ndjson",
    what: "by operation and external id",
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    query: "bulkOperationId={bulkOperationId}&externalId={externalId}",
    goesOnWithout: ["bulkOperationId", "externalId"],
  },
  {
    route: "GET /v1/events/export.csv",
    what: "of a task",
    names: { task: "task" },
    query: "task={task}",
    goesOnWithout: ["task"],
  },
  {
    route: "GET /v1/events/export.ndjson",
    what: "of a task",
    names: { task: "task" },
    query: "task={task}",
    goesOnWithout: ["task"],
  },
  { route: "GET /v1/trials/export.csv", names: {} },
  {
    route: "GET /v1/trials/export.csv",
    what: "of a task and an eval",
    names: { task: "task", evalId: "eval" },
    query: "task={task}&evalId={evalId}",
    goesOnWithout: ["task", "evalId"],
  },
  { route: "GET /v1/prompts/export.csv", names: {} },
  {
    route: "GET /v1/prompts/export.csv",
    what: "of a task, its version and step",
    names: { task: "task", version: "version", step: "step" },
    query: "task={task}&version={version}&step={step}",
    goesOnWithout: ["task", "version", "step"],
  },
  { route: "GET /v1/trials/export.ndjson", names: {} },
  {
    route: "GET /v1/trials/export.ndjson",
    what: "of a task and an eval",
    names: { task: "task", evalId: "eval" },
    query: "task={task}&evalId={evalId}",
    goesOnWithout: ["task", "evalId"],
  },
  { route: "GET /v1/prompts/export.ndjson", names: {} },
  {
    route: "GET /v1/prompts/export.ndjson",
    what: "of a task, its version and step",
    names: { task: "task", version: "version", step: "step" },
    query: "task={task}&version={version}&step={step}",
    goesOnWithout: ["task", "version", "step"],
  },

  { route: "GET /v1/tasks/{taskId}/steps", ...ON_TASK },
  { route: "GET /v1/steps/{stepId}", ...ON_STEP },
  { route: "GET /v1/steps/{stepId}/events", ...ON_STEP },
  { route: "PATCH /v1/steps/{stepId}", ...ON_STEP, body: { status: "running" } },
  {
    route: "PATCH /v1/steps/{stepId}",
    what: "to duplicate",
    at: WAITING_CHECK,
    names: { stepId: "step", duplicateOf: "original" },
    body: { status: "duplicate", duplicateOf: "{duplicateOf}" },
  },
  { route: "PATCH /v1/steps/{stepId}/gate", ...ON_STEP, body: { gate: "blocked" } },
  {
    route: "POST /v1/steps/{stepId}/dispatch",
    ...ON_STEP,
    at: WAITING_CHECK,
    body: { pipeline: "quality_automation", reason: "Try again" },
  },
  { route: "POST /v1/tasks/{taskId}/advance", ...ON_TASK, at: PASSED_INGESTION, body: {} },
  {
    route: "POST /v1/tasks/{taskId}/rework",
    ...ON_TASK,
    body: { toKind: "ingestion", reason: "Once more" },
  },
  {
    route: "POST /v1/moves",
    what: "to a status",
    names: { task: "task" },
    body: { moves: [{ task: "{task}", status: "running" }] },
    goesOnWithout: ["task"],
  },
  {
    route: "POST /v1/moves",
    what: "to an end",
    at: WAITING_CHECK,
    names: { task: "task" },
    body: { moves: [{ task: "{task}", status: "rejected" }] },
    goesOnWithout: ["task"],
  },
  {
    route: "POST /v1/moves",
    what: "onward",
    at: PASSED_INGESTION,
    names: { task: "task" },
    body: { moves: [{ task: "{task}", advance: true }] },
    goesOnWithout: ["task"],
  },
  {
    route: "POST /v1/moves",
    what: "back",
    names: { task: "task" },
    body: { moves: [{ task: "{task}", rework: "ingestion", reason: "Once more" }] },
    goesOnWithout: ["task"],
  },

  {
    route: "POST /v1/tasks/{taskId}/reviews",
    ...ON_TASK,
    at: WAITING_CHECK,
    body: { kind: "automated", outcome: "passed" },
  },
  {
    route: "POST /v1/tasks/{taskId}/reviews",
    what: "with a move",
    at: OPEN_REVIEW,
    names: { taskId: "task", duplicateOf: "original" },
    body: {
      kind: "expert",
      outcome: "failed",
      move: { status: "duplicate", duplicateOf: "{duplicateOf}" },
    },
  },
  { route: "GET /v1/tasks/{taskId}/reviews", ...ON_TASK },
  {
    route: "POST /v1/tasks/{taskId}/worker-runs",
    ...ON_TASK,
    as: "service",
    body: { type: "OUTPUT_GENERATION" },
  },
  {
    route: "POST /v1/worker-runs/claim",
    as: "service",
    isOffered: true,
    names: {},
    body: { types: ["QUALITY_AUTOMATION"], max: 1, leaseSeconds: 60 },
  },
  {
    route: "PATCH /v1/worker-runs/{runId}",
    as: "service",
    at: WAITING_CHECK,
    names: { runId: "run" },
    body: { state: "RUNNING" },
  },
  { route: "GET /v1/worker-runs", names: {} },
  {
    route: "GET /v1/worker-runs",
    what: "by task and step",
    names: { task: "task", stepId: "step" },
    query: "task={task}&stepId={stepId}",
    goesOnWithout: ["task", "stepId"],
  },

  {
    route: "POST /v1/bulk/preview",
    at: WAITING_OUTPUT,
    names: { taskIds: "task" },
    body: { taskIds: ["{taskIds}"], targetStatus: "REJECTED" },
    goesOnWithout: ["taskIds"],
  },
  {
    route: "POST /v1/bulk/preview",
    what: "of duplicates",
    at: WAITING_OUTPUT,
    names: { taskIds: "task", duplicateOf: "original" },
    body: { taskIds: ["{taskIds}"], targetStatus: "DUPLICATE", duplicateOf: "{duplicateOf}" },
    goesOnWithout: ["taskIds"],
  },
  {
    route: "POST /v1/bulk/preview",
    what: "of a filter",
    at: WAITING_OUTPUT,
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    body: {
      filter: { bulkOperationId: "{bulkOperationId}", externalId: "{externalId}" },
      targetStatus: "REJECTED",
    },
    goesOnWithout: ["bulkOperationId", "externalId"],
  },
  {
    route: "POST /v1/bulk/execute",
    at: WAITING_OUTPUT,
    names: { taskIds: "task" },
    body: { taskIds: ["{taskIds}"], targetStatus: "REJECTED", reason: "Out of scope" },
    goesOnWithout: ["taskIds"],
  },
  {
    route: "POST /v1/bulk/execute",
    what: "of duplicates",
    at: WAITING_OUTPUT,
    names: { taskIds: "task", duplicateOf: "original" },
    body: {
      taskIds: ["{taskIds}"],
      targetStatus: "DUPLICATE",
      duplicateOf: "{duplicateOf}",
      reason: "Seen before",
    },
    goesOnWithout: ["taskIds"],
  },
  {
    route: "POST /v1/bulk/execute",
    what: "of an action",
    at: WAITING_CHECK,
    names: { taskIds: "task" },
    body: {
      taskIds: ["{taskIds}"],
      action: "run_pipelines",
      runAttachedWorkflows: true,
      reason: "The checker is back",
    },
    goesOnWithout: ["taskIds"],
  },
  {
    route: "POST /v1/bulk/operations/{operationId}/cancel",
    names: { operationId: "waitingOperation" },
  },
  {
    route: "POST /v1/bulk/operations/{operationId}/retry-failed",
    at: OPEN_REVIEW,
    names: { operationId: "staleOperation" },
    body: {},
  },
  {
    route: "POST /v1/bulk/operations/{operationId}/revert",
    at: OPEN_REVIEW,
    names: { operationId: "bulkOperation" },
    body: { reason: "It was a mistake" },
  },
  { route: "GET /v1/analytics/events", names: {} },
  { route: "GET /v1/stats/outcomes", names: {} },
  { route: "GET /v1/stats/throughput", names: {} },
  { route: "GET /v1/stats/stage-times", names: {} },
  { route: "GET /v1/stats/failures", names: {} },
  { route: "GET /v1/bulk/operations", names: {} },
  { route: "GET /v1/bulk/operations/{operationId}", names: { operationId: "bulkOperation" } },
  { route: "GET /v1/bulk/operations/{operationId}/items", names: { operationId: "bulkOperation" } },

  { route: "POST /v1/tasks/{taskId}/evals", ...ON_TASK, body: { name: "accuracy", k: 2 } },
  { route: "GET /v1/evals", names: {} },
  {
    route: "GET /v1/evals",
    what: "by task",
    names: { task: "task" },
    query: "task={task}",
    goesOnWithout: ["task"],
  },
  { route: "GET /v1/evals/{evalId}", ...ON_EVAL },
  { route: "PATCH /v1/evals/{evalId}", ...ON_EVAL, body: { status: "completed" } },
  { route: "GET /v1/evals/{evalId}/events", ...ON_EVAL },
  { route: "GET /v1/evals/{evalId}/events/verify", ...ON_EVAL },
  { route: "GET /v1/evals/{evalId}/trials", ...ON_EVAL },
  {
    route: "POST /v1/evals/{evalId}/trials",
    names: { evalId: "eval", outputDataId: "data" },
    body: { k: 2, model: "solver-7b", outputDataId: "{outputDataId}" },
  },
  {
    route: "POST /v1/evals/{evalId}/trials",
    what: "of many trials",
    names: { evalId: "eval", outputDataId: "data" },
    body: {
      trials: [
        { k: 2, model: "solver-7b", passed: true, outputDataId: "{outputDataId}" },
        { k: 3, model: "solver-7b", error: "Out of memory" },
      ],
    },
  },
  {
    route: "PATCH /v1/trials/{trialId}",
    names: { trialId: "trial", outputDataId: "data" },
    body: { status: "passed", outputDataId: "{outputDataId}" },
  },
  {
    route: "POST /v1/trials/{trialId}/retract",
    names: { trialId: "trial" },
    body: { reason: "Wrong prompt" },
  },
  {
    route: "POST /v1/evals/record",
    names: { task: "task", outputDataId: "data" },
    body: {
      name: "accuracy",
      k: 1,
      results: [
        { task: "{task}", model: "solver-7b", k: 1, passed: true, outputDataId: "{outputDataId}" },
      ],
      complete: true,
    },
    goesOnWithout: ["task", "outputDataId"],
  },
  { route: "GET /v1/evals/{evalId}/summary", names: { evalId: "eval" } },
  { route: "GET /v1/evals/summary", names: {} },
  {
    route: "GET /v1/evals/summary",
    what: "by operation and external id",
    names: { bulkOperationId: "bulkOperation", externalId: "externalId" },
    query: "bulkOperationId={bulkOperationId}&externalId={externalId}",
    goesOnWithout: ["bulkOperationId", "externalId"],
  },

  {
    route: "POST /v1/tasks/{taskId}/prompts",
    names: { taskId: "task", stepId: "step", evalId: "eval", trialId: "trial" },
    body: {
      role: "user",
      content: "How many?",
      stepId: "{stepId}",
      evalId: "{evalId}",
      trialId: "{trialId}",
    },
  },
  { route: "GET /v1/prompts", names: {} },
  {
    route: "GET /v1/prompts",
    what: "by task, version and step",
    names: { task: "task", version: "version", step: "step" },
    query: "task={task}&version={version}&step={step}",
    goesOnWithout: ["task", "version", "step"],
  },
  {
    route: "POST /v1/tasks/{taskId}/data",
    names: {
      taskId: "task",
      stepId: "step",
      promptId: "prompt",
      insightId: "insight",
      inputs: "data",
    },
    body: {
      kind: "generated",
      contentType: "text/plain",
      sizeBytes: 5,
      sha256: "0".repeat(64),
      stepId: "{stepId}",
      promptId: "{promptId}",
      insightId: "{insightId}",
      inputs: ["{inputs}"],
    },
  },
  { route: "GET /v1/data", names: {} },
  {
    route: "GET /v1/data",
    what: "by task",
    names: { task: "task" },
    query: "task={task}",
    goesOnWithout: ["task"],
  },
  { route: "GET /v1/data/{dataId}", names: { dataId: "data" } },
  {
    route: "PUT /v1/data/{dataId}/content",
    names: { dataId: "data" },
    content: SAMPLE_CONTENT.text,
  },
  { route: "GET /v1/data/{dataId}/content", names: { dataId: "storedData" } },

  {
    route: "POST /v1/insights",
    as: "service",
    names: { taskId: "task", evalId: "eval", trialId: "trial" },
    body: {
      taskId: "{taskId}",
      kind: "completion",
      model: "solver-7b",
      evalId: "{evalId}",
      trialId: "{trialId}",
    },
  },
  { route: "GET /v1/insights", names: {} },
  {
    route: "GET /v1/insights",
    what: "by task, eval and trial",
    names: { task: "task", evalId: "eval", trialId: "trial" },
    query: "task={task}&evalId={evalId}&trialId={trialId}",
    goesOnWithout: ["task", "evalId", "trialId"],
  },
  {
    route: "PATCH /v1/insights/{insightId}",
    as: "service",
    names: { insightId: "insight" },
    body: { status: "SUCCEEDED", output: "Seventy-two." },
  },

  { route: "GET /v1/data/{dataId}/lineage", names: { dataId: "storedData" } },

  { route: "GET /v1/pipelines", names: {} },
  {
    route: "PUT /v1/pipelines/{name}",
    names: {},
    fixed: { name: "quality_automation" },
    body: { endpoint: "https://checks.example.com/hook" },
  },
  { route: "POST /v1/pipelines/{name}/rotate", names: {}, fixed: { name: "payment" } },
  { route: "GET /v1/dispatches", names: {} },
  {
    route: "GET /v1/dispatches",
    what: "by task and operation",
    names: { task: "task", bulkOperationId: "bulkOperation" },
    query: "task={task}&bulkOperationId={bulkOperationId}",
    goesOnWithout: ["task", "bulkOperationId"],
  },
  {
    route: "GET /v1/dispatches/{dispatchId}",
    at: WAITING_CHECK,
    names: { dispatchId: "dispatch" },
  },
  {
    route: "POST /v1/dispatches/{dispatchId}/retry",
    at: WAITING_CHECK,
    names: { dispatchId: "deadDispatch" },
    body: { reason: "It is well again" },
  },
  {
    route: "POST /v1/dispatches/{dispatchId}/recall",
    at: WAITING_CHECK,
    names: { dispatchId: "dispatch" },
    body: { reason: "Nobody needs it" },
  },

  { route: "GET /v1/registry", names: {} },
  { route: "GET /v1/me", names: {} },
  { route: "POST /v1/api-keys", names: {}, body: { name: "A key", role: "viewer" } },
  { route: "GET /v1/api-keys", names: {} },
  { route: "DELETE /v1/api-keys/{keyId}", names: { keyId: "apiKey" } },

  { route: "GET /v1/webhooks", names: {} },
  {
    route: "PUT /v1/webhooks/{name}",
    names: { name: "freeWebhook" },
    body: { url: "https://hooks.example.com/stepledger", events: ["bulk.finished"] },
    goesOnWithout: ["name"],
  },
  { route: "POST /v1/webhooks/{name}/ping", ...ON_WEBHOOK },
  { route: "POST /v1/webhooks/{name}/rotate", ...ON_WEBHOOK },
  { route: "GET /v1/webhooks/{name}/deliveries", ...ON_WEBHOOK },
  {
    route: "POST /v1/webhooks/{name}/deliveries/{deliveryId}/retry",
    names: { name: "webhook", deliveryId: "delivery" },
  },
  { route: "DELETE /v1/webhooks/{name}", ...ON_WEBHOOK },
];

/** The sample's name in tables and in the names of tests. */
export const titleOf = ({ route, what }: Sample): string =>
  what === undefined ? route : `${route} ${what}`;

/** Method and path of a contract, as samples name it. */
export const routeNameOf = ({ method, path }: Contract): string => `${method} ${path}`;

/** The contract that a sample is of. */
export function contractOf({ route }: Sample): Contract {
  const found = routes.find(({ contract }) => routeNameOf(contract) === route);
  if (found === undefined) throw new Error(`There is no route ${route}`);
  return found.contract;
}

/** What stands in each place of a request. */
export type Named = Readonly<Record<string, string>>;

/** The things that a sample names, as the holder of these things would name them. */
export function namesIn({ names }: Sample, things: Things): Named {
  return Object.fromEntries(Object.entries(names).map(([place, kind]) => [place, things[kind]]));
}

/** Every way in which somebody else would name a thing of this kind: a task also goes by its external id. */
export function spellingsOf(kind: Kind, things: Things): string[] {
  if (kind === "freeWebhook") return [things.webhook];
  if (kind === "task") return [things.task, `ext:${things.externalId}`];
  return [kind === "freeName" ? things.externalId : things[kind]];
}

/** Sends a sample with these names in its places, under a key of its own where the route takes one. */
export function sendSample(
  api: TestApi,
  sample: Sample,
  named: Named,
  options: CallOptions = {},
): Promise<Answer> {
  const { method, idempotency } = contractOf(sample);
  const { as = "admin", fixed, query, body, content } = sample;
  const filled = (template: string) =>
    template.replaceAll(/\{(\w+)\}/g, (place, name: string) => {
      return { ...fixed, ...named }[name] ?? place;
    });
  const [, path = ""] = sample.route.split(" /v1");
  return api.call(method, filled(query === undefined ? path : `${path}?${query}`), {
    as,
    ...(body !== undefined && { body: filled(JSON.stringify(body)) }),
    ...(content !== undefined && { body: content }),
    ...(idempotency !== "none" && { idempotencyKey: crypto.randomUUID() }),
    ...options,
    headers: { ...(content !== undefined && { "content-type": "text/plain" }), ...options.headers },
  });
}

/** Things that nobody has. */
export function unknownThings(): Things {
  const id = () => crypto.randomUUID();
  return {
    task: id(),
    externalId: `external-${id()}`,
    freeName: `external-${id()}`,
    original: id(),
    step: id(),
    run: id(),
    version: id(),
    prompt: id(),
    data: id(),
    storedData: id(),
    bulkOperation: id(),
    dispatch: id(),
    deadDispatch: id(),
    waitingOperation: id(),
    staleOperation: id(),
    eval: id(),
    trial: id(),
    insight: id(),
    apiKey: id(),
    webhook: `hook-${id()}`,
    freeWebhook: `hook-${id()}`,
    delivery: id(),
  };
}

/** Makes what a sample names, for a tenant: all of one task, which stands where the sample wants it. */
export async function givenThings(
  api: TestApi,
  sample: Sample,
  tenant: Tenant = api.tenant,
): Promise<Things> {
  const things = unknownThings();
  const { at, isArchived, isOffered, names } = sample;
  const named = new Set(Object.values(names));
  const make = async (path: string, body: object, options: CallOptions = {}) => {
    const key = crypto.randomUUID();
    const answer = await api.call<Record<string, string>>("POST", path, {
      tenant,
      body,
      idempotencyKey: key,
      ...options,
    });
    expectDone(answer, answer.status === 200 ? 200 : 201);
    return answer.body;
  };

  const { externalId } = things;
  const task = await api.givenTask({ tenant, externalId, ...(at !== undefined && { at }) });
  Object.assign(things, {
    task: task.id,
    version: task.activeVersion.id,
    step: task.currentStep.id,
  });
  if (isArchived) await make(`/tasks/${task.id}/archive`, {});
  if (isOffered) await givenOfferedRun(api, { tenant });
  if (named.has("original")) {
    const original = await api.givenTask({ tenant });
    Object.assign(things, { original: original.id });
  }
  if (named.has("run")) {
    const type = "QUALITY_AUTOMATION";
    const run = await make(`/tasks/${task.id}/worker-runs`, { type }, { as: "service" });
    Object.assign(things, { run: run["id"] });
  }
  if (named.has("bulkOperation")) {
    const change = { taskIds: [task.id], targetStatus: "PASSED", reason: "To have one" };
    const operation = await make("/bulk/execute", change);
    Object.assign(things, { bulkOperation: operation["operationId"] });
  }
  for (const kind of ["dispatch", "deadDispatch"] as const) {
    if (!named.has(kind)) continue;
    const asked = { pipeline: "quality_automation", reason: "To have one" };
    const { id = "" } = await make(`/steps/${task.currentStep.id}/dispatch`, asked);
    Object.assign(things, { [kind]: id });
    if (kind === "deadDispatch") await givenDead(api.database, id);
  }
  for (const [kind, state] of [
    ["waitingOperation", "queued"],
    ["staleOperation", "failed"],
  ] as const) {
    if (named.has(kind)) await givenOperation(api, { tenant, task, state, id: things[kind] });
  }
  if (named.has("eval") || named.has("trial")) {
    const trials = [{ model: "solver-7b", status: "pending" as const }];
    const { id, trialIds } = await givenEval(api, task, { tenant, trials });
    Object.assign(things, { eval: id, trial: trialIds[0] });
  }
  if (named.has("insight")) {
    await api.database.query(
      "owner",
      `insert into insights (tenant_id, id, task_id, kind, model, status, created_by)
        values ($1, $2, $3, 'solution', 'solver-7b', 'QUEUED', 'a test')`,
      [tenant.id, things.insight, task.id],
    );
  }
  if (named.has("prompt")) {
    const prompt = await make(`/tasks/${task.id}/prompts`, { role: "user", content: "How many?" });
    Object.assign(things, { prompt: prompt["id"] });
  }
  for (const kind of ["data", "storedData"] as const) {
    if (!named.has(kind)) continue;
    const { declared, text } = SAMPLE_CONTENT;
    const data = await make(`/tasks/${task.id}/data`, { kind: "source", ...declared });
    Object.assign(things, { [kind]: data["id"] });
    if (kind === "data") continue;
    const headers = { "content-type": "text/plain" };
    const sent = { tenant, body: text, headers };
    expectDone(await api.call("PUT", `/data/${data["id"]}/content`, sent));
  }
  if (named.has("apiKey")) {
    const key = await make("/api-keys", { name: "A key of the test", role: "viewer" });
    Object.assign(things, { apiKey: key["id"] });
  }
  if (["webhook", "freeWebhook"].some((kind) => named.has(kind as Kind))) {
    await givenWebhook(api, tenant, things);
  }
  return things;
}

/** A webhook with a delivery. It leads nowhere: a ping is refused before anything leaves. */
async function givenWebhook(
  { database }: TestApi,
  { id: tenantId }: Tenant,
  { webhook, delivery }: Things,
): Promise<void> {
  await database.query(
    "owner",
    `with made as (
  insert into webhooks (tenant_id, id, name, url, events, secret, position_txid, position_feed_id, heard_nothing_of)
  values ($1, new_id(), $2, 'http://nowhere.test', array['bulk.finished'], sha256('a secret'),
    pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot())
  returning tenant_id, id, name
)
insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, state)
select tenant_id, $3::uuid, id, name, 'bulk.finished', $3::text, '{}', 'dead' from made`,
    [tenantId, webhook, delivery],
  );
}

/** An operation over one task that nobody has begun with, or that found its task elsewhere than planned. */
async function givenOperation(
  { database }: TestApi,
  given: { tenant: Tenant; task: TaskView; state: "queued" | "failed"; id: string },
): Promise<void> {
  const { tenant, task, state, id } = given;
  const isStale = state === "failed";
  await database.query(
    "owner",
    `with operation as (
       insert into bulk_operations (tenant_id, id, actor_id, actor_name, target_status, reason,
         run_attached_workflows, state, requested, changed, refused, stale, failed, dispatched, finished_at)
       values ($1, $2, 'somebody', 'Somebody', 'PASSED', 'To have one', false, $3, 1, 0, 0, $4::integer, 0, 0,
         case when $4::integer = 1 then now() end)
     )
     insert into bulk_operation_items (tenant_id, operation_id, position, task_id, planned_seq, outcome, code,
       from_label, to_label)
     values ($1, $2, 0, $5, $6, case when $4::integer = 1 then 'stale' else 'pending' end,
       case when $4::integer = 1 then 'stale' end, $7, 'PASSED')`,
    [tenant.id, id, state, isStale ? 1 : 0, task.id, task.eventSeq, task.unifiedStatus],
  );
}
