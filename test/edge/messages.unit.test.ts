import { afterEach, describe, expect, test, vi } from "vitest";
import { Webhook } from "standardwebhooks";
import * as z from "zod";
import { pipelineMessage } from "../../src/actions/dispatches/pipeline-message.ts";
import { type WebhookPost, postToWebhook } from "../../src/actions/webhooks/post-to-webhook.ts";
import { NOT_HELD } from "../../src/domain/lifecycle/snapshot.ts";
import { errorOf } from "../../src/domain/delivery/endpoint-law.ts";
import { PIPELINE_EVENT, PIPELINES } from "../../src/domain/pipelines/pipelines.ts";
import { PING_EVENT, WEBHOOK_EVENTS } from "../../src/domain/webhooks/events.ts";
import { EXAMPLE_SECRET } from "../../src/routes/http/openapi-messages.ts";
import { pipelineData } from "../../src/routes/shapes/messages.ts";
import { postSigned } from "../../src/outbound/post-signed.ts";
import { DOCUMENTED_MESSAGES, faultsOf } from "../support/documented.ts";
import { testOutbound } from "../support/outbound.ts";

const URL = "https://hooks.example.com/stepledger";
const secrets = [Buffer.from(EXAMPLE_SECRET.slice("whsec_".length), "base64")];
const message = z.strictObject({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({}),
});

afterEach(() => {
  vi.useRealTimers();
});

test("the document has every message that the service sends, and no other", () => {
  const types = DOCUMENTED_MESSAGES.map(({ type }) => type);
  expect(types).toEqual([...WEBHOOK_EVENTS, PING_EVENT, PIPELINE_EVENT]);
});

describe.each(DOCUMENTED_MESSAGES)("the example of $type", ({ type, schema, example, headers }) => {
  const body = message.parse(example);
  const id = headers["webhook-id"] ?? "";
  const sentAt = new Date(Number(headers["webhook-timestamp"]) * 1000);

  test("matches its schema, which rejects other data", () => {
    expect(faultsOf(schema, example)).toEqual([]);
    expect(faultsOf(schema, { ...body, type: "task.moved" })).not.toEqual([]);
    expect(faultsOf(schema, { ...body, data: { ...body.data, extra: 1 } })).not.toEqual([]);
    for (const name of Object.keys(body.data)) {
      const { [name]: _, ...others } = body.data;
      expect(faultsOf(schema, { ...body, data: others })).not.toEqual([]);
    }
  });

  test("verifies with the documented secret", () => {
    vi.setSystemTime(sentAt);
    const text = JSON.stringify(example);
    expect(new Webhook(EXAMPLE_SECRET).verify(text, headers)).toEqual(example);
  });

  test("is what the service posts, header by header and byte by byte", async () => {
    vi.setSystemTime(sentAt);
    const posted: Request[] = [];
    const outbound = testOutbound({
      fetch: async (url, init) => {
        posted.push(new Request(url, init));
        return new Response(null, { status: 202 });
      },
    });
    if (type === PIPELINE_EVENT) {
      const text = JSON.stringify(requestOf(body));
      const parts = { url: URL, id, timestamp: sentAt, body: text, secrets, timeoutMs: 1000 };
      await postSigned(parts, outbound);
    } else {
      const data = JSON.stringify(body.data);
      // The first test checks the types.
      const post = { id, type, timestamp: body.timestamp, data } as WebhookPost;
      await postToWebhook({ url: URL, secrets }, post, outbound);
    }
    const [request] = posted;
    expect(await request?.text()).toBe(JSON.stringify(example));
    const sent = Object.fromEntries(request?.headers ?? []);
    expect(sent).toEqual({ ...headers, "content-type": "application/json" });
  });
});

/** Builds the message from the records that the example shows. */
function requestOf({ timestamp, data }: z.output<typeof message>) {
  const { dispatchId, pipeline, run, version, ...shown } = pipelineData.parse(data);
  const { currentStep, activeVersion, unifiedStatus: _, attention: __, ...fields } = shown.task;
  const step = { ...currentStep, ...NOT_HELD, versionId: activeVersion.id };
  const task = {
    ...fields,
    step,
    version: activeVersion,
    reviews: [],
    openRuns: [{ id: run.id, type: run.type, state: "QUEUED" }] as const,
  };
  expect(PIPELINES[pipeline]).toMatchObject({
    worker: run.type,
    attachedTo: { kind: step.kind, status: step.status },
  });
  const attempt = { pipeline, run, task, version, step };
  return pipelineMessage(dispatchId, attempt, new Date(timestamp));
}

test("the reason of the example of dispatch.dead is one that the service gives", () => {
  const { example } =
    DOCUMENTED_MESSAGES.find(({ type }) => type === "dispatch.dead") ?? expect.fail();
  expect(message.parse(example).data["reason"]).toBe(errorOf(422));
});
