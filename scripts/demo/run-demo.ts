import { randomUUID } from "node:crypto";
import { styleText } from "node:util";
import type { Role } from "../../src/domain/actor.ts";
import { IMPORT_MAX } from "../../src/routes/tasks.ts";
import { type ApiClient, createApiClient } from "../import/api-client.ts";
import { checkConnection } from "../import/connection.ts";
import { importFile } from "../import/import-file.ts";
import { type ImportPlan, planImport } from "../import/plan-import.ts";
import { showProgress } from "../import/progress.ts";
import { faultLine } from "../import/report.ts";
import { compareSummaries } from "../import/summaries.ts";
import { table } from "../import/table.ts";
import { UsageError } from "../import/usage-error.ts";
import type { Tenant } from "../stack/tenants.ts";
import { renderVerification, verifyDatabase } from "../verify/verify-database.ts";
import { type BulkChange, changeInBulk, type Execution } from "./bulk.ts";
import {
  awaitsCheck,
  awaitsReviewer,
  awaitsSubmission,
  checkQuality,
  confirmFailures,
} from "./check-quality.ts";
import {
  countLabels,
  findTasks,
  type DemoTask,
  type LabelCounts,
  readVerdicts,
} from "./demo-tasks.ts";
import { countsTable } from "./counts-table.ts";
import { positionOf, sentenceOf, timelinePage } from "./sentences.ts";
import { movesAhead, submit, type FailedMove, walkToQualityCheck } from "./walk.ts";

export interface DemoInput {
  file: string;
  tenant: Tenant;
  baseUrl: string;
  /** The database with its owner's rights: the demo verifies it directly, not through the service. */
  ownerUrl: string;
}

/** One client for each role in the demo. */
type Clients = Record<"operator" | "reviewer" | "service", ApiClient>;

/**
 * Runs the demo and returns its exit code: 0 if every task went where its verdict says and the verification found
 * nothing.
 */
export async function runDemo({ file, tenant, baseUrl, ownerUrl }: DemoInput): Promise<number> {
  const startedAt = performance.now();
  const clientOf = (role: Role) => createApiClient({ baseUrl, key: tenant.keys[role] });
  const clients: Clients = {
    operator: clientOf("operator"),
    reviewer: clientOf("reviewer"),
    service: clientOf("service"),
  };
  const plan = await planOf(file);
  const name = await checkConnection(clients.operator, null);
  console.log(`\n  ${plan.total} tasks from ${file} for ${name} at ${baseUrl}`);

  await importAll(clients, plan);
  const tasks = await findAll(clients, plan);
  const moments: { name: string; counts: LabelCounts }[] = [];
  const count = async (moment: string): Promise<void> => {
    moments.push({ name: moment, counts: await countLabels(clients.operator, tasks) });
  };
  await count("before");
  const failedMoves = [...(await walkAll(clients, tasks))];
  await checkAll(clients, tasks);
  await count("checked");
  failedMoves.push(...(await submitPassed(clients, tasks)));
  const failedChanges = await showBulkChanges(clients, tasks);
  await count("after");

  heading("Counts by unified status");
  console.log(countsTable(moments));
  await printTimeline(clients, tasks);
  const isWhole = await verify(ownerUrl);
  printFailedMoves(failedMoves);
  console.log(
    `\n  Done in ${secondsSince(startedAt)} s. If you run it again, it continues from here.\n`,
  );
  return isWhole && failedMoves.length === 0 && failedChanges === 0 ? 0 : 1;
}

async function planOf(file: string): Promise<ImportPlan> {
  const { plan, faults } = await planImport(file, "auto");
  if (plan !== undefined) return plan;
  throw new UsageError(faults.map((fault) => faultLine(file, fault)).join("\n"));
}

async function importAll({ operator }: Clients, plan: ImportPlan): Promise<void> {
  heading("Import");
  const tally = await withProgress("Records imported", plan.total, (update) =>
    importFile(operator, plan, {
      batchMax: IMPORT_MAX,
      isDryRun: false,
      start: null,
      isTasksOnly: false,
      onProgress: update,
    }),
  );
  print(tally.render({ isDryRun: false }));
  for (const { text } of await compareSummaries(operator, tally.expected)) {
    console.log();
    print(text);
  }
}

async function findAll({ operator }: Clients, plan: ImportPlan): Promise<DemoTask[]> {
  const verdicts = await readVerdicts(plan);
  const tasks = await withProgress("Tasks found", verdicts.size, (update) =>
    findTasks(operator, verdicts, update),
  );
  if (tasks.length > 0) return tasks;
  throw new UsageError("No record in the file has a verdict, so there is nothing to show.");
}

async function walkAll({ operator }: Clients, tasks: readonly DemoTask[]): Promise<FailedMove[]> {
  heading("Ingestion and authoring");
  const total = movesAhead(tasks);
  if (total === 0) {
    print("Every task is already past these stages.");
    return [];
  }
  let done = 0;
  return withProgress("Moves to the quality check", total, (update) =>
    walkToQualityCheck(operator, tasks, (moves) => {
      done += moves;
      update(done);
    }),
  );
}

async function checkAll({ service, reviewer }: Clients, tasks: readonly DemoTask[]): Promise<void> {
  heading("Quality check");
  const unchecked = tasks.filter(awaitsCheck);
  if (unchecked.length === 0) print("Every task has already been checked.");
  else {
    await withProgress("Checks by a worker", unchecked.length, (update) =>
      checkQuality(service, unchecked, update),
    );
  }
  const unconfirmed = tasks.filter(awaitsReviewer);
  if (unconfirmed.length > 0) {
    await withProgress("Failures confirmed by a reviewer", unconfirmed.length, (update) =>
      confirmFailures(reviewer, unconfirmed, update),
    );
  }
  const passed = tasks.filter(({ verdict }) => verdict === "passed").length;
  print(`The file's own verdicts: ${passed} passed, ${tasks.length - passed} failed.`);
}

async function submitPassed(
  { operator }: Clients,
  tasks: readonly DemoTask[],
): Promise<FailedMove[]> {
  heading("Submission");
  const ready = tasks.filter(awaitsSubmission);
  if (ready.length === 0) {
    print("Every task that passed has already been submitted.");
    return [];
  }
  let done = 0;
  return withProgress("Tasks submitted", ready.length, (update) =>
    submit(operator, ready, (moves) => {
      done += moves;
      update(done);
    }),
  );
}

const SAMPLE = 3;

/**
 * Rejects the failed tasks in bulk, and shows two bulk changes that the service refuses.
 * @returns the number of tasks that were stale or failed.
 */
async function showBulkChanges({ reviewer }: Clients, tasks: readonly DemoTask[]): Promise<number> {
  const submitted = tasks.filter(({ verdict }) => verdict === "passed").slice(0, SAMPLE);
  const toReject = tasks.filter(({ label }) => label === "QUALITY_CHECK_FAILED");
  const failed = tasks.filter(({ verdict }) => verdict === "failed").slice(0, SAMPLE);

  heading("Bulk: illegal changes are refused");
  let unchanged = await changeAndPrint(reviewer, {
    taskIds: [...submitted.map(({ id }) => id), randomUUID()],
    targetStatus: "PASSED",
    reason: "A mistake: these are not reviewed yet, and one does not exist.",
  });

  heading("Bulk: reject the tasks that failed the check");
  if (toReject.length === 0) print("Nothing is left to reject.");
  else {
    unchanged += await changeAndPrint(reviewer, {
      taskIds: toReject.map(({ id }) => id),
      targetStatus: "REJECTED",
      reason: "The quality check failed and a reviewer agreed.",
    });
  }

  heading("Bulk: tasks that already have the status are refused");
  unchanged += await changeAndPrint(reviewer, {
    taskIds: failed.map(({ id }) => id),
    targetStatus: "REJECTED",
    reason: "A mistake: the same selection again.",
  });
  return unchanged;
}

/** Makes a bulk change and prints its result. Returns the number of tasks that were stale or failed. */
async function changeAndPrint(client: ApiClient, change: BulkChange): Promise<number> {
  let unchanged = 0;
  if (change.taskIds.length === 0) print("The file has no such tasks.");
  for await (const { preview, execution } of changeInBulk(client, change)) {
    const { eligible, refused } = preview.counts;
    const { state, counts } = execution;
    print(`Target: ${change.targetStatus}. The button says “${preview.primaryLabel}”.`);
    print(`Preview: ${eligible} eligible, ${refused} refused. Nothing is written yet.`);
    print(`Execute: ${state}, ${counts.changed} changed, ${counts.refused} refused.`);
    const refusals = refusalRows(execution);
    if (refusals.length > 0) console.log(table(refusals));
    unchanged += counts.stale + counts.failed;
  }
  return unchanged;
}

/** Groups refusals by reason, because no one reads a thousand rows. */
function refusalRows({ items }: Execution): (string | number)[][] {
  const rows = new Map<string, number>();
  for (const { outcome, code, from, to, allowed } of items) {
    if (outcome === "changed") continue;
    const move = `${from ?? "unknown id"} → ${to}`;
    const alternatives =
      allowed === undefined || allowed.length === 0 ? "" : `only ${allowed.join(", ")}`;
    const key = JSON.stringify([outcome, move, code ?? "", alternatives]);
    rows.set(key, (rows.get(key) ?? 0) + 1);
  }
  return [...rows].map(([key, count]) => [count, ...(JSON.parse(key) as string[])]);
}

async function printTimeline({ operator }: Clients, tasks: readonly DemoTask[]): Promise<void> {
  const task = tasks.find(({ verdict }) => verdict === "failed") ?? tasks[0];
  if (task === undefined) return;
  heading(`The timeline of ${task.externalId}`);
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const path = `/tasks/${task.id}/timeline${after}`;
    const page: ReturnType<typeof timelinePage.parse> = await operator.call(
      { method: "GET", path },
      timelinePage,
    );
    console.log(
      table(
        page.data.map((event) => [positionOf(event), event.at.slice(11, 23), sentenceOf(event)]),
      ),
    );
    cursor = page.nextCursor;
  } while (cursor !== null);
}

async function verify(ownerUrl: string): Promise<boolean> {
  heading("Verification of the database");
  const verification = await verifyDatabase(ownerUrl);
  const { invariants, chains, isWhole } = verification;
  if (isWhole) {
    print(`${invariants.length} invariants hold.`);
    print(`${chains.chains} hash chains with ${chains.events} events are intact.`);
  } else {
    console.log(renderVerification(verification));
  }
  return isWhole;
}

const FAILED_MOVES_SHOWN = 10;

function printFailedMoves(failedMoves: readonly FailedMove[]): void {
  if (failedMoves.length === 0) return;
  heading(`${failedMoves.length} moves failed`);
  const shown = failedMoves.slice(0, FAILED_MOVES_SHOWN);
  console.log(table(shown.map(({ externalId, description }) => [externalId, description])));
}

async function withProgress<Result>(
  title: string,
  total: number,
  work: (update: (done: number) => void) => Promise<Result>,
): Promise<Result> {
  const progress = showProgress(title, total);
  const startedAt = performance.now();
  try {
    const result = await work(progress.update);
    progress.end();
    print(`${title}: ${total} in ${secondsSince(startedAt)} s.`);
    return result;
  } finally {
    progress.end();
  }
}

function heading(text: string): void {
  // `stream` makes styleText leave the text plain without a terminal or with NO_COLOR.
  console.log(`\n${styleText("bold", text, { stream: process.stdout })}`);
}

const secondsSince = (startedAt: number) => ((performance.now() - startedAt) / 1000).toFixed(1);

const print = (text: string) => console.log(text.replaceAll(/^/gm, "  "));
