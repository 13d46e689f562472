import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { IMPORT_MAX } from "../src/routes/tasks.ts";
import { readStackFile, STACK_DIRECTORY, type StackFile } from "./stack/stack.ts";
import type { Tenant } from "./stack/tenants.ts";

const TASKS = 100_000;
const FORMATS = ["csv", "ndjson"] as const;
type Format = (typeof FORMATS)[number];
const LINE_FEED = 10;
const KIBIBYTES_IN_MEBIBYTE = 1024;

/** The budget for the growth of the Worker's process, however much is exported. */
const GROWTH_MEBIBYTES_MAX = 32;

/**
 * `npm run bench:export`: exports 100,000 tasks of the last tenant of the running preview, after importing the missing
 * ones. Prints the memory of the Worker's process before, at its peak and after. The first export of each format is not
 * measured, because it grows the heap to its working size.
 */
const stack = readStackFile();
const tenant = stack?.tenants.at(-1);
if (stack === null || tenant === undefined) {
  console.error("No local stack is running. Start one with `npm run preview`.");
  process.exit(2);
}
const present = await countTasks(stack, tenant);
for (let count = present; count < TASKS; count += IMPORT_MAX) await importTasks(stack, tenant);
for (const format of FORMATS) await download(stack, tenant, format);
const growths: number[] = [];
for (const format of FORMATS) growths.push(await measure(stack, tenant, format));
if (Math.max(...growths) > GROWTH_MEBIBYTES_MAX) {
  console.error(`The growth exceeds the budget of ${GROWTH_MEBIBYTES_MAX} MiB.`);
  process.exit(1);
}

/** Measures one export and prints the result. Returns the growth of the process at its peak, in mebibytes. */
async function measure(stack: StackFile, tenant: Tenant, format: Format): Promise<number> {
  const before = await workerMebibytes();
  let peak = before;
  const sampling = new AbortController();
  const samples = (async () => {
    while (!sampling.signal.aborted) {
      peak = Math.max(peak, await workerMebibytes());
      await sleep(50);
    }
  })();
  const startedAt = performance.now();
  const { bytes, lines } = await download(stack, tenant, format);
  const seconds = (performance.now() - startedAt) / 1000;
  sampling.abort();
  await samples;
  const after = await workerMebibytes();
  console.log(
    `${format}: ${lines} lines, ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s; ` +
      `workerd used ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at its peak, ${after.toFixed(0)} MiB after`,
  );
  return peak - before;
}

async function download(
  { baseUrl }: StackFile,
  { keys }: Tenant,
  format: Format,
): Promise<{ bytes: number; lines: number }> {
  const response = await fetch(`${baseUrl}/v1/tasks/export.${format}`, {
    headers: { authorization: `Bearer ${keys.viewer}` },
  });
  if (!response.ok || response.body === null) {
    throw new Error(`The export failed with status ${response.status}`);
  }
  let bytes = 0;
  let lines = 0;
  const body: AsyncIterable<Uint8Array> = response.body;
  for await (const piece of body) {
    bytes += piece.length;
    for (const byte of piece) if (byte === LINE_FEED) lines += 1;
  }
  if (lines < TASKS) throw new Error(`The export has only ${lines} lines`);
  return { bytes, lines };
}

/** Returns the resident memory of the largest workerd process that is a child of the stack's process. */
async function workerMebibytes(): Promise<number> {
  const stackPid = (await readFile(join(STACK_DIRECTORY, "lock"), "utf8")).trim();
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,rss=,comm="]);
  const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const sizes = processes.flatMap(([, parent, rss, name]) =>
    parent === stackPid && name?.startsWith("workerd") ? [Number(rss)] : [],
  );
  if (sizes.length === 0) {
    throw new Error("The stack runs no workerd. Start it with `npm run preview`");
  }
  return Math.max(...sizes) / KIBIBYTES_IN_MEBIBYTE;
}

async function countTasks({ migrationDatabaseUrl }: StackFile, { id }: Tenant): Promise<number> {
  const client = new Client({ connectionString: migrationDatabaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>(
      "select count(*) from tasks where tenant_id = $1 and archived_at is null",
      [id],
    );
    return Number(rows[0]?.count);
  } finally {
    await client.end();
  }
}

async function importTasks({ baseUrl }: StackFile, { keys }: Tenant): Promise<void> {
  const tasks = Array.from({ length: IMPORT_MAX }, (_, index) => ({
    title: `Task ${index + 1} of a long export`,
  }));
  const response = await fetch(`${baseUrl}/v1/tasks/import`, {
    method: "POST",
    headers: { authorization: `Bearer ${keys.operator}`, "content-type": "application/json" },
    body: JSON.stringify({ tasks }),
  });
  if (!response.ok) {
    throw new Error(`The import failed with status ${response.status}: ${await response.text()}`);
  }
  await response.body?.cancel();
}
