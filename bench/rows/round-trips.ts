import { isOfTenant, type Statement } from "../../scripts/stack/neon-protocol.ts";
import { summarise } from "../measure.ts";
import { type MovedTask, tasksInReview } from "../moving.ts";
import { MOVED_TENANT } from "../populations.ts";
import type { Finding, Row } from "../row.ts";
import type { Asked, Service } from "../service.ts";

const READ = 1;
const MAKE = 1;
/** Load, decide, record. */
const MOVE = 2;
const MANY = 1_000;

export const roundTrips: Row = {
  name: "round-trips",
  about:
    "how often a request goes to the database, counted at the proxy, and as its answer says (baseline)",
  measure: async (stage) => {
    let counted = 0;
    // What is sent on after the answer works for all tenants.
    const rewrite = (statement: Statement) => {
      if (isOfTenant(statement)) counted += 1;
      return statement;
    };
    const service = await stage.large({ rewrite });
    const scene = await setScene(service);
    const findings: Finding[] = [];
    for (const { about, budget, path, ...asked } of requestsOf(scene)) {
      await untilDelivered(service);
      counted = 0;
      const { roundTrips: told } = await service.call(path, { tenant: MOVED_TENANT, ...asked });
      const figure = summarise([counted]);
      const baseline = summarise([told]);
      const ratio = Math.max(counted, told);
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

/** Deliveries that a request asked for go to the database too, after its answer. */
async function untilDelivered(service: Service): Promise<void> {
  for (;;) {
    const [waiting] = await service.look(
      "select from pipeline_dispatches where state in ('pending', 'sent') limit 1",
    );
    if (waiting === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What the requests are about: made beforehand, and not counted. */
interface Scene {
  /** In its second version, and waiting for a check whose run is queued. */
  taskId: string;
  stepId: string;
  runId: string;
  evalId: string;
  many: readonly MovedTask[];
}

/** Asks with both keys, too: one that is known already costs nothing more. */
async function setScene(service: Service): Promise<Scene> {
  const post = async <Body>(path: string, body: unknown, role?: Asked["role"]) =>
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

type Request = Omit<Asked, "tenant"> & { about: string; budget: number; path: string };

/** Each kind of request of the budget table, in an order in which all are lawful. */
function requestsOf({ taskId, stepId, runId, evalId, many }: Scene): Request[] {
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
    { about: "what differs between versions", budget: READ, path: `${task}/versions/1/diff/2` },
    made("create a task", "/v1/tasks", { title: "Counted" }),
    made("record a prompt", `${task}/prompts`, { role: "user", content: "Counted" }),
    made("declare data", `${task}/data`, {
      kind: "golden",
      contentType: "text/plain",
      sizeBytes: 1,
      sha256,
    }),
    made("record an insight", "/v1/insights", { taskId, kind: "k", model: "m" }, "service"),
    patched("worker report", `/v1/worker-runs/${runId}`, { state: "RUNNING" }, "service"),
    patched("gate", `/v1/steps/${stepId}/gate`, { gate: "blocked", reason: "Counted" }),
    patched("gate back", `/v1/steps/${stepId}/gate`, { gate: "pending", reason: "Counted" }),
    moved("review", `${task}/reviews`, { kind: "expert", outcome: "passed" }),
    patched("transition", `/v1/steps/${stepId}`, { status: "approved", ...QUIET }),
    moved("advance", `${task}/advance`, QUIET),
    moved("rework", `${task}/rework`, { toKind: "pre_qa", reason: "Counted", ...QUIET }),
    patched("edit", task, { priority: 7 }),
    moved("new version", `${task}/versions`, { content: {}, reason: "Counted", ...QUIET }),
    patched("change of an eval", `/v1/evals/${evalId}`, { status: "queued" }),
    moved("one trial", `/v1/evals/${evalId}/trials`, trials(1, 1)[0]),
    moved("900 trials", `/v1/evals/${evalId}/trials`, { trials: trials(2, 900) }),
    made("preview of 1,000", "/v1/bulk/preview", bulk),
    moved("execute 1,000", "/v1/bulk/execute", { ...bulk, reason: "Counted", ...QUIET }),
    moved("execute 1,000 with pipelines", "/v1/bulk/execute", {
      taskIds,
      targetStatus: "PASSED",
      reason: "Counted",
      runAttachedWorkflows: true,
    }),
    moved("1,000 moves", "/v1/moves", {
      moves: taskIds.map((id) => ({ task: id, status: "changes_requested" })),
    }),
  ];
}

const made = (about: string, path: string, body: unknown, role?: Asked["role"]): Request => ({
  about,
  budget: MAKE,
  path,
  method: "POST",
  body,
  ...(role && { role }),
});

const moved = (about: string, path: string, body: unknown): Request => ({
  about,
  budget: MOVE,
  path,
  method: "POST",
  body,
});

const patched = (about: string, path: string, body: unknown, role?: Asked["role"]): Request => ({
  about,
  budget: MOVE,
  path,
  method: "PATCH",
  body,
  ...(role && { role }),
});
