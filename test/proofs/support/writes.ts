import type { ErrorCode } from "../../../src/routes/http/problem.ts";
import { addNote, execute, expectAccepted, planTokenFor } from "../../routes/bulk/support.ts";
import { givenOpenEval, givenTrial } from "../../routes/evals/support.ts";
import { type Answer, type CallOptions, expectDone, type TestApi } from "../../support/api.ts";
import { givenDead, givenDispatch } from "../../support/dispatches.ts";
import { givenOfferedRun } from "../../support/runs.ts";

/** A call that writes. */
export interface Write {
  method: string;
  path: string;
  options: CallOptions;
}

/** A kind of write: how to make one that has never been sent, and what becomes of it. */
export interface WriteCase {
  operationId: string;
  /** Where one route writes in more ways than one. */
  variant?: string;
  status: 200 | 201 | 202;
  given: (api: TestApi) => Promise<Write>;
  /**
   * What the same call does when it is sent again without an Idempotency-Key, by a client that never got the answer.
   * Null where the route takes none without one.
   */
  unkeyed: { status: 200 | 201; effect: "none" | "once more" } | ErrorCode | null;
  /** Members of the answer that a repeat does not tell, since nothing keeps them. */
  toldOnce?: string[];
}

let count = 0;
/** A name that nothing else has. */
export const unique = (word: string): string => `${word}-${(count += 1)}`;

/** A call on a fresh task at a place. */
const onTask =
  (
    at: Parameters<TestApi["givenTask"]>[0],
    write: (task: Awaited<ReturnType<TestApi["givenTask"]>>) => Write,
  ): WriteCase["given"] =>
  async (api) =>
    write(await api.givenTask(at));

export const post = (path: string, body: object, options: CallOptions = {}): Write => ({
  method: "POST",
  path,
  options: { body, ...options },
});
const patch = (path: string, body: object, options: CallOptions = {}): Write => ({
  method: "PATCH",
  path,
  options: { body, ...options },
});

async function givenRun(api: TestApi, taskId: string, type: string): Promise<string> {
  const run = await api.call<{ id: string }>("POST", `/tasks/${taskId}/worker-runs`, {
    as: "service",
    body: { type },
  });
  return expectDone(run, 201).id;
}

/** A bulk change that is accepted for later, and comes to nothing. */
const largeChange = () => ({
  taskIds: Array.from({ length: 1001 }, () => crypto.randomUUID()),
  targetStatus: "PASSED",
  reason: "All of them are good",
});

/** A bulk change of one task with its pipeline, or of one that had moved since it was planned. */
async function givenChange(
  api: TestApi,
  { isStale }: { isStale: boolean },
): Promise<{ operationId: string }> {
  const { id } = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
  const change = { taskIds: [id], targetStatus: "PASSED", runAttachedWorkflows: true } as const;
  const planToken = await planTokenFor(api, change);
  if (isStale) await addNote(api, id);
  return expectDone(await execute(api, { ...change, planToken, onStale: "skip" }));
}

/** What is uploaded, and what declares it. */
const ANSWER = "72";
const declared = (kind: string) => ({
  kind,
  contentType: "text/plain",
  sizeBytes: ANSWER.length,
  sha256: "8722616204217eddb39e7df969e0698aed8e599ba62ed2de1ce49b03ade0fede",
});

/** Every way in which a route writes. */
export const WRITES: readonly WriteCase[] = [
  {
    operationId: "createTask",
    status: 201,
    given: async () => post("/tasks", { title: "A task", externalId: unique("created") }),
    unkeyed: "conflict",
  },
  {
    operationId: "createTask",
    variant: "without an external id",
    status: 201,
    given: async () => post("/tasks", { title: "A task" }),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "importTasks",
    status: 200,
    given: async () =>
      post("/tasks/import", {
        tasks: [
          { title: "One", externalId: unique("imported") },
          { title: "Two", externalId: unique("imported") },
          { title: "" },
        ],
      }),
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "editTask",
    status: 200,
    given: onTask({}, ({ id }) => patch(`/tasks/${id}`, { title: unique("Edited") })),
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "archiveTask",
    status: 200,
    given: onTask({}, ({ id }) => post(`/tasks/${id}/archive`, {})),
    unkeyed: "already_in_status",
  },
  {
    operationId: "restoreTask",
    status: 200,
    given: async (api) => {
      const { id } = await api.givenTask();
      expectDone(await api.call("POST", `/tasks/${id}/archive`, { body: {} }));
      return post(`/tasks/${id}/restore`, {});
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "addNote",
    status: 201,
    given: onTask({}, ({ id }) => post(`/tasks/${id}/notes`, { text: "A remark" })),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "createVersion",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/versions`, {
        content: { brief: "A better brief" },
        reason: "It was unclear",
        firstKind: "pre_qa",
        runAttachedWorkflows: true,
      }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "transitionStep",
    status: 200,
    given: onTask({}, ({ currentStep }) =>
      patch(`/steps/${currentStep.id}`, { status: "running", payload: { machine: 7 } }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "transitionStep",
    variant: "with its payment",
    status: 200,
    given: onTask({ at: { kind: "expert_review", status: "in_review" } }, ({ currentStep }) =>
      patch(`/steps/${currentStep.id}`, { status: "approved", runAttachedWorkflows: true }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "changeGate",
    status: 200,
    given: onTask({}, ({ currentStep }) =>
      patch(`/steps/${currentStep.id}/gate`, { gate: "waived", reason: "Known to be good" }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "advanceTask",
    status: 200,
    given: onTask({ at: { kind: "pre_qa", status: "approved" } }, ({ id }) =>
      post(`/tasks/${id}/advance`, {}),
    ),
    unkeyed: "gate_closed",
  },
  {
    operationId: "reworkTask",
    status: 200,
    given: onTask({ at: { kind: "pre_qa", status: "approved" } }, ({ id }) =>
      post(`/tasks/${id}/rework`, { toKind: "pre_qa", reason: "Look again" }),
    ),
    // The first rework revoked the gate that was open; the second finds none.
    unkeyed: { status: 200, effect: "once more" },
  },
  {
    operationId: "moveTasks",
    status: 200,
    given: async (api) => {
      const [one = "", other = "", third = ""] = await api.givenTasks(3);
      return post("/moves", {
        moves: [
          { task: one, status: "running" },
          { task: other, rework: "ingestion", reason: "Again" },
          { task: third, status: "approved" },
        ],
      });
    },
    unkeyed: { status: 200, effect: "once more" },
  },
  {
    operationId: "recordReview",
    status: 201,
    given: onTask({ at: { kind: "pre_qa", status: "awaiting_review" } }, ({ id }) =>
      post(`/tasks/${id}/reviews`, {
        kind: "expert",
        outcome: "passed",
        move: { status: "approved" },
      }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "recordReview",
    variant: "without a move",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/reviews`, { kind: "expert", outcome: "failed", notes: "No" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "startRun",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/worker-runs`, { type: "QUALITY_AUTOMATION" }, { as: "service" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "reportRun",
    status: 200,
    given: async (api) => {
      const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
      const run = await givenRun(api, id, "QUALITY_AUTOMATION");
      return patch(
        `/worker-runs/${run}`,
        { state: "SUCCEEDED", verdict: "failed", result: { score: 0.2 } },
        { as: "service" },
      );
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "reportRun",
    variant: "that changes its run alone",
    status: 200,
    given: async (api) => {
      const run = await givenRun(api, (await api.givenTask()).id, "PAYMENT");
      return patch(`/worker-runs/${run}`, { state: "RUNNING" }, { as: "service" });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "dispatchPipeline",
    status: 201,
    given: onTask({ at: { kind: "pre_qa", status: "queued" } }, ({ currentStep }) =>
      post(`/steps/${currentStep.id}/dispatch`, {
        pipeline: "quality_automation",
        reason: "It was asked for by nobody yet",
      }),
    ),
    unkeyed: "conflict",
  },
  {
    operationId: "putPipeline",
    status: 200,
    given: async (api) => {
      await api.database.query("owner", "delete from pipelines where name = 'payment'");
      const body = { endpoint: "https://payments.example.com/hook" };
      return { method: "PUT", path: "/pipelines/payment", options: { body } };
    },
    unkeyed: { status: 200, effect: "none" },
    toldOnce: ["secret"],
  },
  {
    operationId: "rotatePipelineSecret",
    status: 200,
    given: async (api) => {
      const body = { endpoint: null };
      expectDone(await api.call("PUT", "/pipelines/output_generation", { body }));
      return post("/pipelines/output_generation/rotate", {});
    },
    unkeyed: { status: 200, effect: "none" },
    toldOnce: ["secret"],
  },
  {
    operationId: "retryDispatch",
    status: 200,
    given: async (api) => {
      const id = await givenDispatch(api);
      await givenDead(api.database, id);
      return post(`/dispatches/${id}/retry`, { reason: "It is well again" });
    },
    unkeyed: "invalid_transition",
  },
  {
    operationId: "recallDispatch",
    status: 200,
    given: async (api) =>
      post(`/dispatches/${await givenDispatch(api)}/recall`, { reason: "Nobody needs it" }),
    unkeyed: "invalid_transition",
  },
  {
    operationId: "claimRuns",
    status: 200,
    given: async (api) => {
      // Whoever asks once more finds no more.
      await claimAll(api);
      await givenOfferedRun(api);
      return post("/worker-runs/claim", { types: ["QUALITY_AUTOMATION"] }, { as: "service" });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "reportRun",
    variant: "that was claimed",
    status: 200,
    given: async (api) => {
      const { runId } = await givenOfferedRun(api, { pipeline: "output_generation" });
      const body = { types: ["OUTPUT_GENERATION"], max: 100 };
      expectDone(await api.call("POST", "/worker-runs/claim", { as: "service", body }));
      return patch(`/worker-runs/${runId}`, { state: "RUNNING", attempt: 1 }, { as: "service" });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "putWebhook",
    status: 200,
    given: async (api) => {
      const { path } = await givenWebhook(api);
      const body = { url: "https://hooks.example.com/elsewhere", events: ["bulk.finished"] };
      return { method: "PUT", path, options: { body } };
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "rotateWebhookSecret",
    status: 200,
    given: async (api) => post(`${(await givenWebhook(api)).path}/rotate`, {}),
    unkeyed: { status: 200, effect: "none" },
    toldOnce: ["secret"],
  },
  {
    operationId: "retryWebhookDelivery",
    status: 200,
    given: async (api) => {
      const { path, deliveryId } = await givenWebhook(api);
      return post(`${path}/deliveries/${deliveryId}/retry`, {});
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "deleteWebhook",
    status: 200,
    given: async (api) => {
      const { path } = await givenWebhook(api);
      return { method: "DELETE", path, options: {} };
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "executeBulk",
    status: 200,
    given: async (api) => {
      const at = { kind: "expert_review", status: "in_review" } as const;
      const [one, other] = [await api.givenTask({ at }), await api.givenTask({ at })];
      const { id: refused } = await api.givenTask();
      return post("/bulk/execute", {
        taskIds: [one.id, other.id, refused, crypto.randomUUID()],
        targetStatus: "PASSED",
        reason: "All of them are good",
        runAttachedWorkflows: true,
      });
    },
    unkeyed: null,
  },
  {
    operationId: "executeBulk",
    variant: "that changes nothing",
    status: 200,
    given: async () =>
      post("/bulk/execute", {
        taskIds: [crypto.randomUUID()],
        targetStatus: "PASSED",
        reason: "All of them are good",
      }),
    unkeyed: null,
  },
  {
    operationId: "executeBulk",
    variant: "of more than a request takes",
    status: 202,
    given: async () => post("/bulk/execute", largeChange()),
    unkeyed: null,
  },
  {
    operationId: "cancelBulkOperation",
    status: 200,
    given: async (api) => {
      const body = largeChange();
      const answer = await api.call("POST", "/bulk/execute", {
        body,
        idempotencyKey: unique("key"),
      });
      return post(`/bulk/operations/${expectAccepted(answer)}/cancel`, {});
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "revertBulkOperation",
    status: 200,
    given: async (api) => {
      const { operationId } = await givenChange(api, { isStale: false });
      return post(`/bulk/operations/${operationId}/revert`, { reason: "It was a mistake" });
    },
    unkeyed: null,
  },
  {
    operationId: "retryFailedBulkItems",
    status: 200,
    given: async (api) => {
      const { operationId } = await givenChange(api, { isStale: true });
      return post(`/bulk/operations/${operationId}/retry-failed`, {});
    },
    unkeyed: null,
  },
  {
    operationId: "recordPrompt",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/prompts`, { role: "user", content: "How many?", model: "solver-7b" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "declareData",
    status: 201,
    given: async (api) => {
      const { id } = await api.givenTask();
      const source = expectDone(
        await api.call<{ id: string }>("POST", `/tasks/${id}/data`, { body: declared("source") }),
        201,
      );
      return post(`/tasks/${id}/data`, { ...declared("generated"), inputs: [source.id] });
    },
    unkeyed: "conflict",
  },
  {
    operationId: "storeContent",
    status: 200,
    given: async (api) => {
      const { id } = await api.givenTask();
      const body = declared("golden");
      const data = await api.call<{ id: string }>("POST", `/tasks/${id}/data`, { body });
      const headers = { "content-type": "text/plain" };
      return {
        method: "PUT",
        path: `/data/${expectDone(data, 201).id}/content`,
        options: { body: ANSWER, headers },
      };
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "createEval",
    status: 201,
    given: onTask({}, ({ id }) => post(`/tasks/${id}/evals`, { name: "accuracy", k: 4 })),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "transitionEval",
    status: 200,
    given: async (api) =>
      patch(`/evals/${(await givenOpenEval(api)).id}`, { status: "queued", reason: "Go on" }),
    unkeyed: "already_in_status",
  },
  {
    operationId: "recordTrials",
    status: 201,
    given: async (api) =>
      post(`/evals/${(await givenOpenEval(api)).id}/trials`, { k: 1, model: "solver" }),
    unkeyed: "conflict",
  },
  {
    operationId: "recordTrials",
    variant: "of many trials",
    status: 201,
    given: async (api) =>
      post(`/evals/${(await givenOpenEval(api)).id}/trials`, {
        trials: [1, 2, 3, 4].map((k) => ({ k, model: "solver", passed: k > 2 })),
      }),
    unkeyed: "conflict",
  },
  {
    operationId: "transitionTrial",
    status: 200,
    given: async (api) => {
      const trial = await givenTrial(api, (await givenOpenEval(api)).id);
      return patch(`/trials/${trial.id}`, { passed: true, score: 0.9 });
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "retractTrial",
    status: 200,
    given: async (api) => {
      const trial = await givenTrial(api, (await givenOpenEval(api)).id);
      return post(`/trials/${trial.id}/retract`, { reason: "Wrong prompt" });
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "recordEvaluation",
    status: 200,
    given: async (api) => {
      const [one, other] = await api.givenTasks(2);
      const result = { model: "solver", k: 1, passed: true, usage: { tokens: 12 } };
      return post("/evals/record", {
        name: "accuracy",
        k: 2,
        results: [one, other, crypto.randomUUID()].map((task) => ({ ...result, task })),
      });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "recordEvaluation",
    variant: "whose trials are all in",
    status: 200,
    given: async (api) => {
      const [one, other] = await api.givenTasks(2);
      const evaluation = { name: "accuracy", k: 1 };
      const results = [one, other].map((task) => ({ task, model: "solver", k: 1, passed: true }));
      const first = { ...evaluation, results: results.slice(0, 1) };
      expectDone(await api.call("POST", "/evals/record", { body: first }));
      return post("/evals/record", { ...evaluation, results, complete: true });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "recordEvaluation",
    variant: "that records nothing",
    status: 200,
    given: async () =>
      post("/evals/record", {
        name: "accuracy",
        k: 1,
        results: [{ task: crypto.randomUUID(), model: "solver", k: 1, passed: true }],
      }),
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "createInsight",
    status: 201,
    given: onTask({}, ({ id }) =>
      post("/insights", { taskId: id, kind: "completion", model: "solver" }, { as: "service" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "reportInsight",
    status: 200,
    given: async (api) => {
      const { id: taskId } = await api.givenTask();
      const body = { taskId, kind: "completion", model: "solver" };
      const opened = await api.call<{ id: string }>("POST", "/insights", { as: "service", body });
      const { id } = expectDone(opened, 201);
      return patch(`/insights/${id}`, { status: "RUNNING" }, { as: "service" });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "createApiKey",
    status: 201,
    given: async () => post("/api-keys", { name: unique("A key"), role: "viewer" }),
    unkeyed: { status: 201, effect: "once more" },
    toldOnce: ["key"],
  },
  {
    operationId: "revokeApiKey",
    status: 200,
    given: async (api) => {
      const body = { name: unique("A key"), role: "viewer" };
      const { id } = expectDone(await api.call<{ id: string }>("POST", "/api-keys", { body }), 201);
      return { method: "DELETE", path: `/api-keys/${id}`, options: {} };
    },
    unkeyed: { status: 200, effect: "none" },
  },
];

/** A webhook that hears of bulk operations, and was told of one. */
async function givenWebhook(api: TestApi): Promise<{ path: string; deliveryId: string }> {
  const path = `/webhooks/${unique("hook")}`;
  const body = { url: "https://hooks.example.com", events: ["bulk.finished"] };
  const { name } = expectDone(await api.call<{ name: string }>("PUT", path, { body }), 201);
  const [told] = await api.database.query(
    "owner",
    `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data)
    select tenant_id, new_id(), id, name, 'bulk.finished', 'an operation', '{}' from webhooks where name = $1
    returning id`,
    [name],
  );
  return { path, deliveryId: told?.["id"] ?? "" };
}

async function claimAll(api: TestApi): Promise<void> {
  const body = { types: ["QUALITY_AUTOMATION"], max: 100, leaseSeconds: 3600 };
  expectDone(await api.call("POST", "/worker-runs/claim", { as: "service", body }));
}

/** Sends a write, under a key where one is given. */
export function send(
  api: TestApi,
  { method, path, options }: Write,
  idempotencyKey?: string,
): Promise<Answer> {
  return api.call(method, path, {
    ...options,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
}

/** Only the batch that writes: it alone begins with its operation. */
export const ON_WRITE = { sql: "insert into operations" };
