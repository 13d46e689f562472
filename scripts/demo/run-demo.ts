import { randomUUID } from "node:crypto";
import { styleText } from "node:util";
import type { Role } from "../../src/domain/actor.ts";
import { type ApiClient, createApiClient } from "../import/api-client.ts";
import { greet } from "../import/connection.ts";
import { importFile } from "../import/import-file.ts";
import { type ImportPlan, planImport } from "../import/plan-import.ts";
import { showProgress } from "../import/progress.ts";
import { faultLine } from "../import/report.ts";
import { compareSummaries } from "../import/summaries.ts";
import { table } from "../import/table.ts";
import { UsageFault } from "../import/usage-fault.ts";
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
import { countLabels, findHerd, type HerdTask, type LabelCounts, readVerdicts } from "./herd.ts";
import { countsTable } from "./counts-table.ts";
import { placeOf, sentenceOf, timelinePage } from "./sentences.ts";
import { movesAhead, submit, type Trouble, walkToQualityCheck } from "./walk.ts";

export interface DemoInput {
  file: string;
  tenant: Tenant;
  baseUrl: string;
  /** The database as its owner sees it: what is told is verified there, and not by the service itself. */
  ownerUrl: string;
}

/** The people and programs that play their parts, each with its own key. */
type Cast = Record<"operator" | "reviewer" | "service", ApiClient>;

/** Runs the demo and gives back its exit code: 0 when all went as the file's verdicts say and the history is whole. */
export async function runDemo({ file, tenant, baseUrl, ownerUrl }: DemoInput): Promise<number> {
  const startedAt = performance.now();
  const clientOf = (role: Role) => createApiClient({ baseUrl, key: tenant.keys[role] });
  const cast: Cast = {
    operator: clientOf("operator"),
    reviewer: clientOf("reviewer"),
    service: clientOf("service"),
  };
  const plan = await planned(file);
  const name = await greet(cast.operator, null);
  console.log(`\n  ${plan.total} tasks of ${file} for ${name} at ${baseUrl}`);

  await importAll(cast, plan);
  const herd = await find(cast, plan);
  const moments: { name: string; counts: LabelCounts }[] = [];
  const count = async (moment: string): Promise<void> => {
    moments.push({ name: moment, counts: await countLabels(cast.operator, herd) });
  };
  await count("before");
  const troubles = [...(await walk(cast, herd))];
  await check(cast, herd);
  await count("checked");
  troubles.push(...(await submitPassed(cast, herd)));
  const failedBulk = await changeTheRest(cast, herd);
  await count("after");

  heading("Counts by unified status");
  console.log(countsTable(moments));
  await tellTimeline(cast, herd);
  const isWhole = await verify(ownerUrl);
  tellTroubles(troubles);
  console.log(
    `\n  Done in ${secondsSince(startedAt)} s. Run it again: it finds the tasks where they are.\n`,
  );
  return isWhole && troubles.length === 0 && failedBulk === 0 ? 0 : 1;
}

async function planned(file: string): Promise<ImportPlan> {
  const { plan, faults } = await planImport(file, "auto");
  if (plan !== undefined) return plan;
  throw new UsageFault(faults.map((fault) => faultLine(file, fault)).join("\n"));
}

async function importAll({ operator }: Cast, plan: ImportPlan): Promise<void> {
  heading("Import");
  const tally = await withProgress("Records read", plan.total, (reach) =>
    importFile(operator, plan, {
      batchMax: 500,
      isDryRun: false,
      start: null,
      isTasksOnly: false,
      onReach: reach,
    }),
  );
  say(tally.render({ isDryRun: false }));
  for (const { text } of await compareSummaries(operator, tally.expected)) {
    console.log();
    say(text);
  }
}

async function find({ operator }: Cast, plan: ImportPlan): Promise<HerdTask[]> {
  const verdicts = await readVerdicts(plan);
  const herd = await withProgress("Tasks found", verdicts.size, (reach) =>
    findHerd(operator, verdicts, reach),
  );
  if (herd.length > 0) return herd;
  throw new UsageFault("No record of the file says how its check ended: there is nothing to walk.");
}

async function walk({ operator }: Cast, herd: readonly HerdTask[]): Promise<Trouble[]> {
  heading("Ingestion and authoring");
  const ahead = movesAhead(herd);
  if (ahead === 0) {
    say("Every task is past them already.");
    return [];
  }
  let made = 0;
  return withProgress("Moves towards the quality check", ahead, (reach) =>
    walkToQualityCheck(operator, herd, (moves) => {
      made += moves;
      reach(made);
    }),
  );
}

async function check({ service, reviewer }: Cast, herd: readonly HerdTask[]): Promise<void> {
  heading("Quality check");
  const unchecked = herd.filter(awaitsCheck);
  if (unchecked.length === 0) say("Every task is checked already.");
  else {
    await withProgress("Checks by a worker", unchecked.length, (reach) =>
      checkQuality(service, unchecked, reach),
    );
  }
  const doubtful = herd.filter(awaitsReviewer);
  if (doubtful.length > 0) {
    await withProgress("Failures confirmed by a reviewer", doubtful.length, (reach) =>
      confirmFailures(reviewer, doubtful, reach),
    );
  }
  const passed = herd.filter(({ verdict }) => verdict === "passed").length;
  say(`The file's own verdicts: ${passed} passed, ${herd.length - passed} failed.`);
}

async function submitPassed({ operator }: Cast, herd: readonly HerdTask[]): Promise<Trouble[]> {
  heading("Submission");
  const ready = herd.filter(awaitsSubmission);
  if (ready.length === 0) {
    say("What passed is submitted already.");
    return [];
  }
  let made = 0;
  return withProgress("Tasks submitted", ready.length, (reach) =>
    submit(operator, ready, (moves) => {
      made += moves;
      reach(made);
    }),
  );
}

const SAMPLE = 3;

/** Changes in bulk what did not pass, and shows on both sides of it what a bulk change refuses. */
async function changeTheRest({ reviewer }: Cast, herd: readonly HerdTask[]): Promise<number> {
  const submitted = herd.filter(({ verdict }) => verdict === "passed").slice(0, SAMPLE);
  const rest = herd.filter(({ label }) => label === "QUALITY_CHECK_FAILED");
  const failed = herd.filter(({ verdict }) => verdict === "failed").slice(0, SAMPLE);

  heading("Bulk: what no table allows is refused");
  let unfinished = await bulk(reviewer, {
    taskIds: [...submitted.map(({ id }) => id), randomUUID()],
    targetStatus: "PASSED",
    reason: "A slip: these were not reviewed yet, and one does not exist.",
  });

  heading("Bulk: reject what failed its check");
  if (rest.length === 0) say("Nothing is left to reject.");
  else {
    unfinished += await bulk(reviewer, {
      taskIds: rest.map(({ id }) => id),
      targetStatus: "REJECTED",
      reason: "The quality check failed and a reviewer agreed.",
    });
  }

  heading("Bulk: what is there already is refused too");
  unfinished += await bulk(reviewer, {
    taskIds: failed.map(({ id }) => id),
    targetStatus: "REJECTED",
    reason: "A slip: the same selection once more.",
  });
  return unfinished;
}

/** Carries out a bulk change, and gives back for how many tasks it came to nothing although it was lawful. */
async function bulk(client: ApiClient, change: BulkChange): Promise<number> {
  let unfinished = 0;
  if (change.taskIds.length === 0) say("There is no such task in this file.");
  for await (const { preview, execution } of changeInBulk(client, change)) {
    const { eligible, refused } = preview.counts;
    const { state, counts } = execution;
    say(`To ${change.targetStatus}. The button says “${preview.primaryLabel}”.`);
    say(`Preview: ${eligible} eligible, ${refused} refused; nothing is written yet.`);
    say(`Execute: ${state}, ${counts.changed} changed, ${counts.refused} refused.`);
    const refusals = refusalRows(execution);
    if (refusals.length > 0) console.log(table(refusals));
    unfinished += counts.stale + counts.failed;
  }
  return unfinished;
}

/** Refusals by their reason: in a thousand of them one reads the kinds, not the rows. */
function refusalRows({ items }: Execution): (string | number)[][] {
  const rows = new Map<string, number>();
  for (const { outcome, code, from, to, allowed } of items) {
    if (outcome === "changed") continue;
    const way = `${from ?? "unknown id"} → ${to}`;
    const instead =
      allowed === undefined || allowed.length === 0 ? "" : `only ${allowed.join(", ")}`;
    const key = JSON.stringify([outcome, way, code ?? "", instead]);
    rows.set(key, (rows.get(key) ?? 0) + 1);
  }
  return [...rows].map(([key, times]) => [times, ...(JSON.parse(key) as string[])]);
}

async function tellTimeline({ operator }: Cast, herd: readonly HerdTask[]): Promise<void> {
  const task = herd.find(({ verdict }) => verdict === "failed") ?? herd[0];
  if (task === undefined) return;
  heading(`The whole timeline of ${task.externalId}`);
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const path = `/tasks/${task.id}/timeline${after}`;
    const page: ReturnType<typeof timelinePage.parse> = await operator.call(
      { method: "GET", path },
      timelinePage,
    );
    console.log(
      table(page.data.map((event) => [placeOf(event), event.at.slice(11, 23), sentenceOf(event)])),
    );
    cursor = page.nextCursor;
  } while (cursor !== null);
}

async function verify(ownerUrl: string): Promise<boolean> {
  heading("Verification of the whole database");
  const verification = await verifyDatabase(ownerUrl);
  const { invariants, chains, isWhole } = verification;
  if (isWhole) {
    say(`${invariants.length} invariants hold: no row breaks any of them.`);
    say(`${chains.chains} hash chains over ${chains.events} events are whole.`);
  } else {
    console.log(renderVerification(verification));
  }
  return isWhole;
}

const TROUBLES_SHOWN = 10;

function tellTroubles(troubles: readonly Trouble[]): void {
  if (troubles.length === 0) return;
  heading(`${troubles.length} moves were not made`);
  console.log(
    table(troubles.slice(0, TROUBLES_SHOWN).map(({ externalId, what }) => [externalId, what])),
  );
}

async function withProgress<Result>(
  title: string,
  total: number,
  work: (reach: (done: number) => void) => Promise<Result>,
): Promise<Result> {
  const progress = showProgress(title, total);
  const startedAt = performance.now();
  try {
    const result = await work(progress.reach);
    progress.end();
    say(`${title}: ${total} in ${secondsSince(startedAt)} s.`);
    return result;
  } finally {
    progress.end();
  }
}

function heading(text: string): void {
  // Without a terminal, or where NO_COLOR is set, the text stays plain.
  console.log(`\n${styleText("bold", text, { stream: process.stdout })}`);
}

const secondsSince = (startedAt: number) => ((performance.now() - startedAt) / 1000).toFixed(1);

const say = (text: string) => console.log(text.replaceAll(/^/gm, "  "));
