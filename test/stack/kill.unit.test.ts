import { afterAll, beforeAll, expect, test } from "vitest";
import { startOf } from "../../scripts/stack/processes.ts";
import type { StackFile } from "../../scripts/stack/stack.ts";
import { verifyDatabase } from "../../scripts/verify/verify-database.ts";
import { newSecret } from "../../src/outbound/secrets.ts";
import { type Receiver, startReceiver } from "../support/node/receiver.ts";
import { StackProcess } from "../support/node/stack-process.ts";

// Kills processes of a real local stack with signal 9 while a bulk operation runs. `KILLED_TASKS=6000` is the full size,
// with one run for each process. `STACK_COMMAND=dev` tests `npm run dev` instead of `npm run preview`.

const FULL_SIZE = 6_000;
/** Three chunks by default, so that at least one is left after the kill. */
const TASKS = Number(process.env["KILLED_TASKS"] ?? 2_001);
const COMMAND = process.env["STACK_COMMAND"] === "dev" ? "dev" : "preview";
const PATIENT = { timeout: 120_000, interval: 200 };
const MINUTES = 60_000;

let stack: StackProcess;
let receiver: Receiver;
let file: StackFile;
let taskIds: string[];

beforeAll(async () => {
  receiver = await startReceiver(newSecret());
  stack = await StackProcess.prepare(COMMAND);
  file = await stack.start();
  const settings = { url: receiver.url, events: ["bulk.finished"] };
  expect((await call("PUT", "/webhooks/hook", settings)).status).toBe(201);
  taskIds = await importTasks();
}, 5 * MINUTES);

afterAll(async () => {
  await stack.remove();
  await receiver.stop();
}, MINUTES);

type Victim = "node" | "workerd" | "postgres";
const EACH: readonly Victim[][] = [["workerd"], ["postgres"], ["node"]];
const TOGETHER: readonly Victim[][] = [["workerd", "postgres"], ["node"]];
const VICTIMS =
  TASKS < FULL_SIZE ? TOGETHER : [...EACH, ["node", "workerd", "postgres"] satisfies Victim[]];

test.each(VICTIMS.map((victims, index) => [victims.join(", "), index + 1, victims] as const))(
  "a bulk operation is finished by itself after kill -9 of %s and, if needed, one start",
  async (_, priority, victims) => {
    const operationId = await acceptEdit(priority);
    await holdUp();
    await expect
      .poll(() => changedBy(operationId), { ...PATIENT, interval: 20 })
      .toBeGreaterThan(0);
    const before = await stack.pids();
    const workerds = await Promise.all(before.workerd.map(startOf));
    for (const victim of victims) kill(before[victim]);
    if (victims.includes("node")) {
      file = await stack.start();
      const now = await Promise.all(before.workerd.map(startOf));
      expect(now.filter((start, at) => start === workerds[at])).toEqual([]);
    } else {
      await letGo();
    }
    await expect
      .poll(() => operationOf(operationId), PATIENT)
      .toMatchObject({
        state: "completed",
        counts: { requested: TASKS, changed: TASKS, stale: 0, failed: 0 },
      });
    await expect.poll(() => announced(operationId), PATIENT).toBe(true);
    expect(await verifyDatabase(file.migrationDatabaseUrl)).toMatchObject({ isWhole: true });
  },
  10 * MINUTES,
);

test("a start beside a running stack is refused, names it, and leaves it alone", async () => {
  const before = await stack.pids();
  const second = await stack.startToTheEnd(`--port=${stack.port + 1}`, "--reset");
  expect(second.how).toBe("exit code 1");
  expect(second.output).toContain(`process ${before.node}, ${file.baseUrl}`);
  expect(await stack.file()).toEqual(file);
  expect(await stack.pids()).toEqual(before);
  expect((await call("GET", "/me")).status).toBe(200);
});

function kill(pids: number | readonly number[]): void {
  for (const pid of [pids].flat()) process.kill(pid, "SIGKILL");
}

/** Delays each chunk, so that the operation is still running when the processes are killed. */
async function holdUp(): Promise<void> {
  const match = { sql: "bulk_operation_items" };
  const fault = { kind: "delay", delayMilliseconds: 1_000, times: null, match };
  await fetch(`${file.proxyUrl}/control/faults`, { method: "POST", body: JSON.stringify(fault) });
}

async function letGo(): Promise<void> {
  await fetch(`${file.proxyUrl}/control/faults`, { method: "DELETE" });
}

interface CallResult {
  status: number;
  body: unknown;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<CallResult> {
  const response = await fetch(`${file.baseUrl}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${file.tenants[0]?.keys.admin}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(key !== undefined && { "idempotency-key": key }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function importTasks(): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < TASKS) {
    const count = Math.min(500, TASKS - ids.length);
    const tasks = Array.from({ length: count }, (_, index) => ({
      title: `Task ${ids.length + index}`,
    }));
    const { body } = await call("POST", "/tasks/import", { tasks });
    ids.push(...(body as { items: { id: string }[] }).items.map(({ id }) => id));
  }
  return ids;
}

/** Executes an edit of all tasks, and returns the id of its operation. */
async function acceptEdit(priority: number): Promise<string> {
  const edit = { taskIds, action: "edit", changes: { priority }, reason: "A new priority." };
  const { status, body } = await call("POST", "/bulk/execute", edit, crypto.randomUUID());
  expect(status).toBe(202);
  return (body as { operationId: string }).operationId;
}

/** Returns the operation; null while the service does not answer. */
async function operationOf(id: string): Promise<{ counts: { changed: number } } | null> {
  const found = await call("GET", `/bulk/operations/${id}`).catch(() => null);
  return found?.status === 200 ? (found.body as { counts: { changed: number } }) : null;
}

async function changedBy(id: string): Promise<number> {
  return (await operationOf(id))?.counts.changed ?? 0;
}

/** Whether the webhook has received the end of the operation. */
function announced(operationId: string): boolean {
  return receiver.received.some(({ body }) => body.includes(operationId));
}
