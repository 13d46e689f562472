import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestWorkerd, type TestWorkerd } from "../support/node/workerd.ts";

// Runs the built Worker in workerd with workerd's own queues, as in production except for the host.

let workerd: TestWorkerd;
let receiver: Receiver;

beforeAll(async () => {
  workerd = await startTestWorkerd();
  receiver = await startReceiver();
  const configured = await workerd.call("PUT", "/pipelines/quality_automation", {
    body: { endpoint: receiver.url },
  });
  expect(configured.status).toBe(200);
  receiver.secret = (configured.body as { secret: string }).secret;
});

afterAll(async () => {
  await workerd.stop();
  receiver.server.close();
});

test("sends a dispatch through the queue to its endpoint, and the report moves the task", async () => {
  const task = await givenWaitingTask();
  await requestCheck(task.stepId);
  await expect.poll(() => receiver.runsOf(task.id), POLLED).toHaveLength(1);
  await expect.poll(() => dispatchStates(task.id), POLLED).toEqual(["delivered"]);

  const [runId] = receiver.runsOf(task.id);
  const reported = await workerd.call("PATCH", `/worker-runs/${runId}`, {
    as: "service",
    body: { state: "SUCCEEDED", verdict: "passed" },
  });
  expect(reported.body).toMatchObject({ task: { unifiedStatus: "READY_TO_SUBMIT" } });
});

test("loses no dispatch if the Worker is killed between commit and send", async () => {
  const task = await givenWaitingTask();
  await workerd.database.faults({ kind: "unavailable", sql: "claim_dispatches", times: null });
  await requestCheck(task.stepId);
  expect(await dispatchStates(task.id)).toEqual(["pending"]);

  await workerd.killAndRestart();
  await workerd.database.clearFaults();
  expect(receiver.runsOf(task.id)).toEqual([]);
  await workerd.scheduled("*/15 * * * *");
  await expect.poll(() => dispatchStates(task.id), POLLED).toEqual(["delivered"]);
  expect(receiver.runsOf(task.id)).toHaveLength(1);
});

test("finishes an operation over too many tasks for one call through its queue, without the caller", async () => {
  const taskIds: string[] = [];
  for (let created = 0; created < 1500; created += 500) {
    const tasks = Array.from({ length: 500 }, (_, index) => ({
      title: `Task ${created + index}`,
      start: { kind: "expert_review", status: "queued", reason: "Where the test begins" },
    }));
    const { body } = await workerd.call("POST", "/tasks/import", { body: { tasks } });
    taskIds.push(...(body as { items: { id: string }[] }).items.map(({ id }) => id));
  }
  const accepted = await workerd.call("POST", "/bulk/execute", {
    idempotencyKey: "a-large-operation",
    body: { taskIds, targetStatus: "REJECTED", reason: "Partner withdrew" },
  });
  expect(accepted).toMatchObject({ status: 202, body: { state: "queued" } });
  const { operationId } = accepted.body as { operationId: string };
  const state = async () => (await workerd.call("GET", `/bulk/operations/${operationId}`)).body;
  await expect
    .poll(state, POLLED)
    .toMatchObject({ state: "completed", counts: { requested: 1500, changed: 1500 } });
});

/** Far longer than any of these takes, so that a slow machine does not fail the test. */
const POLLED = { timeout: 50_000, interval: 100 };

async function givenWaitingTask(): Promise<{ id: string; stepId: string }> {
  const start = { kind: "pre_qa", status: "queued", reason: "Where the test begins" };
  const created = await workerd.call("POST", "/tasks", { body: { title: "A task", start } });
  const task = created.body as { id: string; currentStep: { id: string } };
  return { id: task.id, stepId: task.currentStep.id };
}

async function requestCheck(stepId: string): Promise<void> {
  const requested = await workerd.call("POST", `/steps/${stepId}/dispatch`, {
    body: { pipeline: "quality_automation", reason: "To have it checked" },
  });
  expect(requested.status).toBe(201);
}

async function dispatchStates(taskId: string): Promise<string[]> {
  const { body } = await workerd.call("GET", `/dispatches?task=${taskId}`);
  return (body as { data: { state: string }[] }).data.map(({ state }) => state);
}

/** An endpoint on loopback that accepts only requests signed with its secret. */
interface Receiver {
  server: Server;
  url: string;
  secret: string;
  /** Returns the IDs of the task's runs that the endpoint was called for. */
  runsOf: (taskId: string) => string[];
}

async function startReceiver(): Promise<Receiver> {
  const accepted: { data: { task: { id: string }; run: { id: string } } }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      try {
        const headers = request.headers as Record<string, string>;
        const body = new Webhook(started.secret).verify(Buffer.concat(chunks), headers);
        accepted.push(body as (typeof accepted)[number]);
        response.writeHead(204).end();
      } catch {
        response.writeHead(401).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  const started: Receiver = {
    server,
    url: `http://127.0.0.1:${port}/`,
    secret: "",
    runsOf: (taskId) =>
      accepted.flatMap(({ data }) => (data.task.id === taskId ? [data.run.id] : [])),
  };
  return started;
}
