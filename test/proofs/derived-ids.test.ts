import { beforeAll, expect, test } from "vitest";
import { derivedId } from "../../src/actions/call/derived-id.ts";
import { idsOf } from "../../src/actions/call/ids-of.ts";
import { executeBulk } from "../../src/actions/bulk/execute.ts";
import { declareData } from "../../src/actions/content/declare-data.ts";
import { recordPrompt } from "../../src/actions/content/record-prompt.ts";
import { dispatchPipeline } from "../../src/actions/dispatches/dispatch-pipeline.ts";
import { createEval } from "../../src/actions/evals/create-eval.ts";
import { openInsight } from "../../src/actions/evals/open-insight.ts";
import { recordEvaluation } from "../../src/actions/evals/record-evaluation.ts";
import { recordTrials } from "../../src/actions/evals/record-trials.ts";
import { moveTasks } from "../../src/actions/moves/move-tasks.ts";
import { recordReview } from "../../src/actions/reviews/record-review.ts";
import { withdrawReview } from "../../src/actions/reviews/withdraw-review.ts";
import { reportRun } from "../../src/actions/runs/report-run.ts";
import { startRun } from "../../src/actions/runs/start-run.ts";
import { contentHash } from "../../src/actions/tasks/content-hash.ts";
import { createTask, type NewTask } from "../../src/actions/tasks/create-task.ts";
import { importTasks } from "../../src/actions/tasks/import-tasks.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import { freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { anyCall } from "../support/simulated-clock.ts";

let api: TestApi;
let tenants: readonly Tenant[];
beforeAll(async () => {
  api = await freshApi();
  tenants = [api.tenant, await api.givenTenant("demo")];
});

const TIME = Date.UTC(2015, 0, 5, 9);
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const AGAIN = { brief: "Again" };
const TABLES = (
  "tasks task_versions steps reviews pipeline_dispatches worker_runs run_late_reports " +
  "prompts data evals trials insights"
).split(" ");
const valueOf = <Value>(outcome: Outcome<{ value: Value }>): Value =>
  outcome.ok ? outcome.value.value : expect.fail(outcome.refusal.detail);

/** Makes something of every kind that has an id. The ids depend on nothing but a name and numbers. */
async function makeEverything(tenant: Tenant, name: string): Promise<void> {
  const { id: tenantId } = tenant;
  const database = openDatabase(api.database).forTenant(tenantId);
  const callOf = (what: string) => ({
    ...anyCall(database),
    newId: (item: number, number: number) =>
      derivedId(`${name} ${what} ${item} ${number}`, TIME + item),
  });
  const newTask = (title: string) => {
    const fields = { title, externalId: null, taxonomyCode: null, priority: 0, assignee: null };
    return { fields, content: { brief: title } };
  };
  const rows = [1, 2].map((n) => ({ task: newTask(`${name} ${n}`) }));
  const imported = valueOf(await importTasks(callOf("import"), rows, { isDryRun: false }));
  const created = valueOf(await createTask(callOf("create"), newTask(name)));
  const ids = [...imported.items.flatMap(({ id }) => id ?? []), created.id];
  const command = {
    type: "version",
    content: AGAIN,
    contentHash: contentHash(AGAIN),
    reason: "Another try",
    runAttachedWorkflows: false,
  } as const;
  const moves = ids.map((id) => ({ task: { id }, command }));
  valueOf(await moveTasks(callOf("versions"), moves));
  const task = { id: created.id };
  const { id: runId } = valueOf(
    await startRun(callOf("run"), { task, type: "QUALITY_AUTOMATION" }),
  );
  for (const state of ["FAILED", "CANCELLED"] as const) {
    valueOf(await reportRun(callOf(`report ${state}`), { runId, state }));
  }
  await moveStaged(tenant, callOf, newTask(`${name} staged`));
  valueOf(await recordPrompt(callOf("prompt"), { task, role: "user", content: "A question" }));
  const data = { kind: "source", contentType: "text/plain", sizeBytes: 1 } as const;
  const sha256 = "1".repeat(64);
  valueOf(await declareData(callOf("data"), { task, ...data, sha256, uri: "s3://demo/1" }));
  const { id: evalId } = valueOf(await createEval(callOf("eval"), { task, name: "Pass", k: 2 }));
  const maker = { modelRevision: null, agent: null, agentRevision: null, provider: null };
  const trial = { k: 1, model: "heron", ...maker };
  valueOf(
    await recordTrials(callOf("trials"), {
      evalId,
      trials: [trial],
      isList: true,
      pathOf: (index) => [index],
    }),
  );
  const results = ids.map((id) => ({ task: { id }, ...trial, passed: true, usage: { tokens: 7 } }));
  const evaluation = { name: "Nightly", k: 1, slotBy: undefined, results, complete: true };
  valueOf(await recordEvaluation(callOf("evaluation"), evaluation));
  const insight = { evalId: null, trialId: null, kind: "summary", model: "heron", ...maker };
  const found = { input: {}, output: { words: 3 }, usage: null };
  valueOf(await openInsight(callOf("insight"), { task, ...insight, ...found }));
}

/** Imports a task at each of three stages, and makes what only a task at such a stage can have. */
async function moveStaged(
  { id: tenantId }: Tenant,
  callOf: (what: string) => ReturnType<typeof anyCall>,
  task: NewTask,
): Promise<void> {
  const at = [
    { kind: "authoring", status: "queued" },
    { kind: "pre_qa", status: "queued" },
    { kind: "expert_review", status: "awaiting_review" },
  ] as const;
  const rows = at.map((start) => ({ task: { ...task, start: { ...start, reason: "Imported" } } }));
  const { items } = valueOf(await importTasks(callOf("staged"), rows, { isDryRun: false }));
  const [authored = "", queued = "", reviewed = ""] = items.map(({ id }) => id ?? "");
  const [step] = await api.database.query(
    "owner",
    "select current_step_id as id from tasks where tenant_id = $1 and id = $2",
    [tenantId, queued],
  );
  const request = { stepId: step?.["id"] ?? "", pipeline: "quality_automation" } as const;
  valueOf(await dispatchPipeline(callOf("dispatch"), { ...request, reason: "By hand" }));
  const verdict = { task: { id: reviewed }, kind: "expert", outcome: "failed" } as const;
  const { review } = valueOf(await recordReview(callOf("review"), verdict));
  const withdrawal = { reviewId: review.id, reason: "A mistake" };
  valueOf(await withdrawReview(callOf("withdrawal"), withdrawal));
  const command = { type: "review", kind: "automated", outcome: "passed" } as const;
  const reviews = [authored, queued].map((id) => ({ task: { id }, command }));
  valueOf(await moveTasks(callOf("reviews"), reviews));
  const bulk = { taskIds: [authored, queued], runAttachedWorkflows: true, reason: "All" } as const;
  const reworked = { intent: { action: "rework", toKind: "authoring" } } as const;
  valueOf(await executeBulk(callOf("bulk"), { ...bulk, ...reworked, duplicateOf: undefined }));
}

/** All ids of a tenant, by table and id. */
const idsIn = ({ id }: Tenant) =>
  api.database.query(
    "owner",
    TABLES.map(
      (table) => `select '${table}' as what, id::text from ${table} where tenant_id = $1`,
    ).join(" union all ") + " order by 1, 2",
    [id],
  ) as Promise<{ what: string; id: string }[]>;

test("everything that a call creates has the ids that its caller derives", async () => {
  for (const tenant of tenants) await makeEverything(tenant, "story");
  const [first, second] = await Promise.all(tenants.map(idsIn));
  expect(new Set(first?.map(({ what }) => what))).toEqual(new Set(TABLES));
  expect(second).toEqual(first);
  const time = TIME.toString(16).padStart(12, "0").slice(0, 10);
  for (const { id } of first ?? []) {
    expect(id).toMatch(UUID_V7);
    expect(id.replaceAll("-", "").slice(0, 10)).toBe(time);
  }
  const [tenant] = tenants;
  if (tenant === undefined) expect.fail("there is no tenant");
  await makeEverything(tenant, "another story");
  expect(await idsIn(tenant)).toHaveLength((first?.length ?? 0) * 2);
});

test("each attempt at a call counts its ids from the beginning, whatever earlier attempts made", () => {
  const call = { newId: (item: number, number: number) => `${item}.${number}` };
  const made = [idsOf(call), idsOf(call), idsOf(call, 3)].map((newId) => [newId(), newId()]);
  expect(made).toEqual([
    ["0.0", "0.1"],
    ["0.0", "0.1"],
    ["3.0", "3.1"],
  ]);
});
