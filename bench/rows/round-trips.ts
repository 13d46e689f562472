import { isOfTenant, type Statement } from "../../scripts/stack/neon-protocol.ts";
import { summarize } from "../measure.ts";
import { type MovedTask, tasksInReview } from "../moves.ts";
import { MOVED_TENANT } from "../populations.ts";
import type { Finding, Row } from "../row.ts";
import type { CallOptions, Service } from "../service.ts";

const READ = 1;
const CREATE = 1;
/** One round trip to load, one to record. */
const MOVE = 2;
const MANY = 1_000;

export const roundTrips: Row = {
  name: "round-trips",
  about:
    "the database round trips of a request, as counted by the proxy, and as reported by the response (baseline)",
  measure: async (environment) => {
    let counted = 0;
    // Work after the response is done for all tenants at once, outside the tenant's scope; it is not counted.
    const rewrite = (statement: Statement) => {
      if (isOfTenant(statement)) counted += 1;
      return statement;
    };
    const service = await environment.large({ rewrite });
    const fixture = await createFixture(service);
    const findings: Finding[] = [];
    for (const { about, budget, path, ...options } of requestsOf(fixture)) {
      await untilDelivered(service);
      counted = 0;
      const { roundTrips: reported } = await service.call(path, {
        tenant: MOVED_TENANT,
        ...options,
      });
      const figure = summarize([counted]);
      const baseline = summarize([reported]);
      const ratio = Math.max(counted, reported);
      findings.push({
        about,
        unit: "round trips",
        figure,
        baseline,
        ratio,
        budget: { atMost: budget },
      });
    }
    return findings;
  },
};

/** Waits until no dispatch is undelivered, because deliveries also use the database, after the response. */
async function untilDelivered(service: Service): Promise<void> {
  for (;;) {
    const [undelivered] = await service.query(
      "select from pipeline_dispatches where state in ('pending', 'sent') limit 1",
    );
    if (undelivered === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The objects that the requests use. Creating them is not counted. */
interface Fixture {
  /** A task in its second version that is waiting for a check, whose run is queued. */
  taskId: string;
  stepId: string;
  runId: string;
  evalId: string;
  many: readonly MovedTask[];
}

/** Creates the objects. It uses both keys, so that the isolate already knows them when round trips are counted. */
async function createFixture(service: Service): Promise<Fixture> {
  const post = async <Body>(path: string, body: unknown, role?: CallOptions["role"]) =>
    (
      await service.call<Body>(path, {
        method: "POST",
        tenant: MOVED_TENANT,
        body,
        ...(role && { role }),
      })
    ).body;
  const { id: taskId } = await post<{ id: string }>("/v1/tasks", { title: "Counted" });
  const task = `/v1/tasks/${taskId}`;
  const version = { content: { brief: "Counted" }, reason: "Counted", firstKind: "pre_qa" };
  const { step } = await post<{ step: { id: string } }>(`${task}/versions`, {
    ...version,
    ...QUIET,
  });
  const run = await post<{ id: string }>(
    `${task}/worker-runs`,
    { type: "QUALITY_AUTOMATION" },
    "service",
  );
  const { id: evalId } = await post<{ id: string }>(`${task}/evals`, { name: "Counted", k: 1_000 });
  const many = await tasksInReview(service, MOVED_TENANT, MANY);
  return { taskId, stepId: step.id, runId: run.id, evalId, many };
}

const QUIET = { runAttachedWorkflows: false };

type Request = Omit<CallOptions, "tenant"> & { about: string; budget: number; path: string };

/** Returns one request of each kind in the budget table, in an order in which all succeed. */
function requestsOf({ taskId, stepId, runId, evalId, many }: Fixture): Request[] {
  const task = `/v1/tasks/${taskId}`;
  const taskIds = many.map(({ id }) => id);
  const bulk = { taskIds, targetStatus: "CHANGES_REQUESTED" };
  const trials = (first: number, length: number) =>
    Array.from({ length }, (_, index) => ({ k: first + index, model: "m", passed: true }));
  const sha256 = "0".repeat(64);
  return [
    { about: "a key on a warm isolate", budget: READ, path: "/v1/me" },
    { about: "one task", budget: READ, path: task },
    { about: "its timeline", budget: READ, path: `${task}/timeline` },
    { about: "a page of the list", budget: READ, path: "/v1/tasks?unifiedStatus=IN_REVIEW" },
    { about: "a page of the live sort", budget: READ, path: "/v1/tasks?sort=unifiedStatus" },
    { about: "a search", budget: READ, path: "/v1/tasks?q=reservoir" },
    { about: "lineage", budget: READ, path: `${task}/lineage` },
    { about: "a diff of versions", budget: READ, path: `${task}/versions/1/diff/2` },
    creation("create a task", "/v1/tasks", { title: "Counted" }),
    creation("record a prompt", `${task}/prompts`, { role: "user", content: "Counted" }),
    creation("declare data", `${task}/data`, {
      kind: "golden",
      contentType: "text/plain",
      sizeBytes: 1,
      sha256,
    }),
    creation("record an insight", "/v1/insights", { taskId, kind: "k", model: "m" }, "service"),
    patch("worker report", `/v1/worker-runs/${runId}`, { state: "RUNNING" }, "service"),
    patch("gate", `/v1/steps/${stepId}/gate`, { gate: "blocked", reason: "Counted" }),
    patch("gate back", `/v1/steps/${stepId}/gate`, { gate: "pending", reason: "Counted" }),
    move("review", `${task}/reviews`, { kind: "expert", outcome: "passed" }),
    patch("transition", `/v1/steps/${stepId}`, { status: "approved", ...QUIET }),
    move("advance", `${task}/advance`, QUIET),
    move("rework", `${task}/rework`, { toKind: "pre_qa", reason: "Counted", ...QUIET }),
    patch("edit", task, { priority: 7 }),
    move("new version", `${task}/versions`, { content: {}, reason: "Counted", ...QUIET }),
    patch("change an eval", `/v1/evals/${evalId}`, { status: "queued" }),
    move("one trial", `/v1/evals/${evalId}/trials`, trials(1, 1)[0]),
    move("900 trials", `/v1/evals/${evalId}/trials`, { trials: trials(2, 900) }),
    creation("preview 1,000", "/v1/bulk/preview", bulk),
    move("execute 1,000", "/v1/bulk/execute", { ...bulk, reason: "Counted", ...QUIET }),
    move("execute 1,000 with pipelines", "/v1/bulk/execute", {
      taskIds,
      targetStatus: "PASSED",
      reason: "Counted",
      runAttachedWorkflows: true,
    }),
    move("1,000 moves", "/v1/moves", {
      moves: taskIds.map((id) => ({ task: id, status: "changes_requested" })),
    }),
  ];
}

const creation = (
  about: string,
  path: string,
  body: unknown,
  role?: CallOptions["role"],
): Request => ({
  about,
  budget: CREATE,
  path,
  method: "POST",
  body,
  ...(role && { role }),
});

const move = (about: string, path: string, body: unknown): Request => ({
  about,
  budget: MOVE,
  path,
  method: "POST",
  body,
});

const patch = (
  about: string,
  path: string,
  body: unknown,
  role?: CallOptions["role"],
): Request => ({
  about,
  budget: MOVE,
  path,
  method: "PATCH",
  body,
  ...(role && { role }),
});
