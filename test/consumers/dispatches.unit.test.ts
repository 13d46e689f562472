import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, type Stepledger } from "../../client/index.ts";
import { createConsumers } from "../../src/consumers/index.ts";
import type { QueuedMessage } from "../../src/consumers/consume.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { newSecret, secretText } from "../../src/outbound/secrets.ts";
import { type Answer, type Receiver, startReceiver } from "../support/node/receiver.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { testOutbound } from "../support/outbound.ts";
import { countedQueues } from "../support/queues.ts";

const secret = newSecret();

let service: TestService;
let receiver: Receiver;
let stepledger: Stepledger;

beforeAll(async () => {
  service = await startService();
  receiver = await startReceiver(secret);
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
  await stepledger.putPipeline({
    params: { name: "quality_automation" },
    body: { endpoint: receiver.url, secret: secretText(secret), timeoutSeconds: 1 },
  });
});
afterAll(async () => {
  await receiver.stop();
  await service.stop();
});
beforeEach(() => {
  receiver.received.length = 0;
});

/** Requests a check through the API, and passes its message to the consumer. */
async function deliver(answer: Answer) {
  receiver.answerWith(answer);
  const task = await stepledger.createTask({
    body: { title: "A task", start: { kind: "pre_qa", status: "queued", reason: "Moved here" } },
  });
  const { id } = await stepledger.dispatchPipeline({
    params: { stepId: task.currentStep.id },
    body: { pipeline: "quality_automation", reason: "Check it" },
  });
  const said: unknown[] = [];
  const message: QueuedMessage = {
    id: "message-1",
    body: { version: 1, tenantId: service.tenant.id, dispatchId: id },
    attempts: 1,
    ack: () => said.push("acknowledged"),
    retry: (options) => said.push(options),
  };
  const consume = createConsumers({
    database: openDatabase(service.database),
    queues: countedQueues(),
    outbound: testOutbound(),
    assets: undefined,
    reportDefect: (error) => {
      throw error;
    },
  });
  await consume({ queue: "stepledger-dispatches", messages: [message] });
  const { state, lastError, runId } = await stepledger.getDispatch({
    params: { dispatchId: id },
  });
  return { id, task, said, state, lastError, runId };
}

describe("A receiver on the network that verifies with the standard's library", () => {
  test("takes the dispatch, reports on its run, and so moves the task", async () => {
    const { id, task, state, said, runId } = await deliver({ status: 200, body: "Thank you" });
    expect({ state, said }).toEqual({ state: "delivered", said: ["acknowledged"] });
    expect(receiver.received).toMatchObject([
      {
        headers: { "webhook-id": id },
        message: {
          type: "pipeline.requested",
          data: { dispatchId: id, task: { id: task.id }, reportTo: `/v1/worker-runs/${runId}` },
        },
      },
    ]);

    const worker = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.service });
    const reported = await worker.reportRun({
      params: { runId: runId ?? "" },
      body: { state: "SUCCEEDED", verdict: "passed" },
    });
    expect(reported.task.unifiedStatus).toBe("READY_TO_SUBMIT");
  });

  const outcomes: [what: string, answer: Answer, outcome: object][] = [
    [
      "429 with a wait",
      { status: 429, headers: { "retry-after": "45" } },
      { state: "sent", said: [{ delaySeconds: 45 }], lastError: "The endpoint returned 429." },
    ],
    [
      "500",
      { status: 500 },
      { state: "sent", said: [{ delaySeconds: 30 }], lastError: "The endpoint returned 500." },
    ],
    [
      "410",
      { status: 410 },
      {
        state: "dead",
        said: ["acknowledged"],
        lastError: "endpoint_answered_410: The endpoint returned 410.",
      },
    ],
    [
      "a redirect",
      { status: 307, headers: { location: "http://127.0.0.1:1/" } },
      {
        state: "dead",
        said: ["acknowledged"],
        lastError: "url_not_allowed: The endpoint returned a redirect.",
      },
    ],
    [
      "garbage",
      "garbage",
      { state: "sent", said: [{ delaySeconds: 30 }], lastError: "The connection failed." },
    ],
    [
      "nothing",
      "nothing",
      {
        state: "sent",
        said: [{ delaySeconds: 30 }],
        lastError: "The endpoint did not respond within 1 s.",
      },
    ],
    [
      "a reset",
      "reset",
      { state: "sent", said: [{ delaySeconds: 30 }], lastError: "The connection failed." },
    ],
    ["an endless body", "endless", { state: "delivered", said: ["acknowledged"] }],
  ];

  test.each(outcomes)("answers with %s", async (_, answer, outcome) => {
    expect(await deliver(answer)).toMatchObject(outcome);
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]?.message).not.toBeNull();
  });
});
