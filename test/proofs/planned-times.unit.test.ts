import { createHash } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executeBulk } from "../../src/actions/bulk/execute.ts";
import { revertBulk } from "../../src/actions/bulk/revert.ts";
import { declareData } from "../../src/actions/content/declare-data.ts";
import { recordPrompt } from "../../src/actions/content/record-prompt.ts";
import { storeContent } from "../../src/actions/content/store-content.ts";
import { openInsight } from "../../src/actions/evals/open-insight.ts";
import { reportInsight } from "../../src/actions/evals/report-insight.ts";
import { recordReview } from "../../src/actions/reviews/record-review.ts";
import { withdrawReview } from "../../src/actions/reviews/withdraw-review.ts";
import { reportRun } from "../../src/actions/runs/report-run.ts";
import { startRun } from "../../src/actions/runs/start-run.ts";
import { createTask } from "../../src/actions/tasks/create-task.ts";
import { importTasks } from "../../src/actions/tasks/import-tasks.ts";
import type { Tenant } from "../../scripts/stack/tenants.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import { documentedTimes } from "../support/node/documented-times.ts";
import { memoryBlobs } from "../support/node/memory-blobs.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { anyCall, givenClock } from "../support/simulated-clock.ts";

let service: TestService;
let owner: Client;
beforeAll(async () => {
  service = await startService();
  owner = new Client({ connectionString: service.database.migrationDatabaseUrl });
  await owner.connect();
  await owner.query("update tenants set kind = 'demo' where id = $1", [service.tenant.id]);
  await givenClock(service.database, service.tenant.id, { at: day(300) });
}, 60_000);

afterAll(async () => {
  await owner.end();
  await service.stop();
});

/** The n-th day of a story in 2015. */
const day = (n: number) => new Date(Date.UTC(2015, 0, 1 + n, 9)).toISOString();
const valueOf = <Value>(outcome: Outcome<{ value: Value }>): Value =>
  outcome.ok ? outcome.value.value : expect.fail(outcome.refusal.detail);
const MAKER = { modelRevision: null, agent: null, agentRevision: null, provider: null };
const AT = [
  { kind: "pre_qa", status: "queued" },
  { kind: "expert_review", status: "awaiting_review" },
  { kind: "expert_review", status: "awaiting_review" },
] as const;

/** What an act wrote: each time in a simulated column, as `table.column time`. */
interface Written {
  name: string;
  entries: string[];
}

/** The clock of the tenant itself, and of its runs. */
const CLOCKS = ["simulated_clocks", "seed_runs"];

/** How often each time is in each simulated column of the tenant. */
async function timesOf(tenantId: string): Promise<Map<string, number>> {
  const { simulated } = await documentedTimes();
  const reads = [...simulated].flatMap(([table, columns]) =>
    CLOCKS.includes(table)
      ? []
      : (columns ?? []).map(
          (column) => `select '${table}.${column} ' || iso(${column}) as entry, count(*)::integer
            from ${table} where tenant_id = $1 and ${column} is not null group by 1`,
        ),
  );
  const { rows } = await owner.query<{ entry: string; count: number }>(reads.join(" union all "), [
    tenantId,
  ]);
  return new Map(rows.map(({ entry, count }) => [entry, count]));
}

/** Creates a task, and acts on three imported ones, each at its own time. Returns what each wrote: columns, and the times in them. */
async function actOut({ id: tenantId }: Tenant): Promise<Written[]> {
  const database = openDatabase(service.database).forTenant(tenantId);
  const written: Written[] = [];
  let known = await timesOf(tenantId);
  const act = async <Value>(
    name: string,
    run: (call: ReturnType<typeof anyCall>) => Promise<Outcome<{ value: Value }>>,
  ): Promise<Value> => {
    database.plannedAt = day(written.length);
    const value = valueOf(await run(anyCall(database)));
    const present = await timesOf(tenantId);
    const more = [...present].filter(([entry, count]) => count > (known.get(entry) ?? 0));
    written.push({ name, entries: more.map(([entry]) => entry).toSorted() });
    known = present;
    return value;
  };

  const fields = { externalId: null, taxonomyCode: null, priority: 0, assignee: null };
  const newTask = { fields: { title: "A task", ...fields }, content: { brief: "A brief" } };
  await act("creation", (call) => createTask(call, newTask));
  const rows = AT.map((at) => ({ task: { ...newTask, start: { ...at, reason: "Imported" } } }));
  const { items } = await act("import", (call) => importTasks(call, rows, { isDryRun: false }));
  const [checked = "", ...reviewed] = items.map(({ id }) => id ?? "");
  const task = { id: checked };

  const prompt = { task, role: "user", content: "A question" };
  await act("prompt", (call) => recordPrompt(call, prompt));
  const content = "x";
  const sha256 = createHash("sha256").update(content).digest("hex");
  const source = { kind: "source", contentType: "text/plain", sizeBytes: 1, sha256 } as const;
  const { id: dataId } = await act("data", (call) => declareData(call, { task, ...source }));
  const upload = { stream: new Blob([content]).stream(), length: 1, contentType: "text/plain" };
  await act("content", (call) =>
    storeContent({ ...call, blobs: memoryBlobs() }, { dataId, upload }),
  );

  const job = { task, evalId: null, trialId: null, kind: "summary", model: "heron", ...MAKER };
  const { id: insightId } = await act("insight", (call) =>
    openInsight(call, { ...job, input: {}, output: null, usage: null }),
  );
  const report = { insightId, status: "SUCCEEDED", output: { words: 3 } } as const;
  await act("end of the insight", (call) => reportInsight(call, report));

  const { id: runId } = await act("run", (call) =>
    startRun(call, { task, type: "QUALITY_AUTOMATION" }),
  );
  for (const state of ["RUNNING", "FAILED", "CANCELLED"] as const) {
    await act(`report ${state}`, (call) => reportRun(call, { runId, state }));
  }

  const verdict = { kind: "expert", outcome: "failed" } as const;
  const move = { status: "changes_requested", runAttachedWorkflows: false } as const;
  const { review } = await act("review", (call) =>
    recordReview(call, { task: { id: reviewed[0] ?? "" }, ...verdict, notes: "No", move }),
  );
  const withdrawal = { reviewId: review.id, reason: "A mistake" };
  await act("withdrawal", (call) => withdrawReview(call, withdrawal));

  const change = { intent: { targetStatus: "PASSED" }, duplicateOf: undefined } as const;
  const bulk = { ...change, taskIds: reviewed, runAttachedWorkflows: true, reason: "Good" };
  const { operationId } = await act("bulk", (call) => executeBulk(call, { ...bulk }));
  await act("revert", (call) => revertBulk(call, { operationId, reason: "Not good" }));
  return written;
}

const MOVED = [
  "step_events.at",
  "task_labels.since",
  "task_labels.updated_at",
  "tasks.status_since",
  "tasks.updated_at",
];
const CREATED = [...MOVED, "steps.created_at", "task_versions.created_at", "tasks.created_at"];
const BULK = ["bulk_operations.created_at", "bulk_operations.finished_at", "dispatch_events.at"];

/** The columns that each act writes times to. */
const COLUMNS: Record<string, readonly string[]> = {
  creation: CREATED,
  import: CREATED,
  prompt: ["prompts.created_at"],
  data: ["data.created_at"],
  content: ["data.stored_at"],
  insight: ["insights.created_at", "insights.updated_at"],
  "end of the insight": ["insights.updated_at"],
  run: ["worker_runs.created_at", "worker_runs.updated_at"],
  "report RUNNING": [...MOVED, "task_labels.running_since", "worker_runs.updated_at"],
  "report FAILED": [...MOVED, "worker_runs.updated_at"],
  "report CANCELLED": ["run_late_reports.created_at"],
  review: [...MOVED, "reviews.created_at"],
  withdrawal: MOVED,
  bulk: [
    ...MOVED,
    ...BULK,
    "analytics_events.at",
    "pipeline_dispatches.created_at",
    "pipeline_dispatches.updated_at",
  ],
  revert: [...MOVED, ...BULK, "analytics_events.reverted_at", "pipeline_dispatches.updated_at"],
};

test("in a demo, everything that an act writes has the time that was planned for the act", async () => {
  const written = await actOut(service.tenant);
  const expected = Object.entries(COLUMNS).map(([name, columns], n) => ({
    name,
    entries: columns.map((column) => `${column} ${day(n).replace("Z", "000Z")}`).toSorted(),
  }));
  expect(written).toEqual(expected);
});

test("in a customer's tenant, the same acts have the time at which they happen", async () => {
  const since = new Date(Date.now() - 60_000).toISOString();
  const times = (await actOut(service.otherTenant)).flatMap(({ entries }) => entries);
  expect(times.length).toBeGreaterThan(50);
  expect(times.filter((entry) => (entry.split(" ")[1] ?? "") < since)).toEqual([]);
});
