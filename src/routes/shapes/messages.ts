import * as z from "zod";
import { WORKER_TYPES } from "../../domain/lifecycle/statuses.ts";
import { PIPELINE_EVENT, PIPELINE_NAMES } from "../../domain/pipelines/pipelines.ts";
import { WEBHOOK_DATA, type WebhookData } from "../../domain/webhooks/data.ts";
import { PING_EVENT, WEBHOOK_EVENTS, type WebhookEvent } from "../../domain/webhooks/events.ts";
import type { Message, MessageExample } from "../http/openapi-messages.ts";
import { timestamp, uuid } from "../http/schemas.ts";
import { step, task } from "./task.ts";

const TASK_ID = "0199d2f5-0a3e-7c11-8f4d-2b6c9e1a7d30";
const STEP_ID = "0199d2f5-0a3e-7c13-9b7a-64d0f2c85e19";
const VERSION_ID = "0199d2f5-0a3e-7c12-a1d6-5e83b9074cf2";
const RUN_ID = "0199d2f5-3b1c-7a46-8e05-c7d2a94f1b63";
const OPERATION_ID = "0199d2f5-2f70-7d08-b3c4-19e6a5d2708b";
const DISPATCH_ID = "0199d2f5-3b1c-7a45-9d2e-6f0a4c1b8e77";
const AT = "2026-11-27T16:44:14.204813Z";

const aboutTask = { taskId: TASK_ID, externalId: "gsm8k-0042", eventSeq: 9, at: AT };

type WebhookExample<Data extends object> = MessageExample & { data: Data };

const WEBHOOK_EXAMPLES: { [Event in WebhookEvent]: WebhookExample<WebhookData[Event]> } = {
  "task.label_changed": {
    id: "0199d2f5-3c01-7b21-8a5f-0d9e4c7b6a12",
    timestamp: AT,
    data: {
      ...aboutTask,
      title: "Natalia sold clips to 48 of her friends",
      from: "IN_REVIEW",
      to: "REJECTED",
      bulkOperationId: OPERATION_ID,
    },
  },
  "task.attention": {
    id: "0199d2f5-3c01-7b22-9c83-5a7f1e0d2b94",
    timestamp: AT,
    data: { ...aboutTask, added: ["errored"], removed: [], attention: ["errored"] },
  },
  "bulk.finished": {
    id: "0199d2f5-3c01-7b23-b6d0-e1f48a3c9570",
    timestamp: AT,
    data: {
      operationId: OPERATION_ID,
      action: null,
      targetStatus: "REJECTED",
      reason: "The partner withdrew.",
      actor: { id: "person:ana", name: "Ana" },
      state: "partial",
      counts: { requested: 412, changed: 409, refused: 2, stale: 1, failed: 0 },
      dispatched: 0,
      recalled: 0,
      alreadyDelivered: 0,
      parentId: null,
      createdAt: "2026-11-27T16:44:12.018226Z",
      finishedAt: AT,
    },
  },
  "dispatch.dead": {
    id: "0199d2f5-3c01-7b24-83ea-7c5b2d9f0e46",
    timestamp: AT,
    data: {
      dispatchId: DISPATCH_ID,
      pipeline: "quality_automation",
      taskId: TASK_ID,
      reason: "The endpoint returned 422.",
      at: AT,
    },
  },
};

const webhook = {
  tag: "Webhooks",
  otherwise: "After any other response the delivery is retried, or fails for good.",
};

/** The `data` of the message that requests a pipeline's work. */
export const pipelineData = z.strictObject({
  dispatchId: uuid,
  pipeline: z.enum(PIPELINE_NAMES),
  run: z.strictObject({
    id: uuid,
    type: z.enum(WORKER_TYPES),
    attempt: z.int(),
    deadlineAt: timestamp,
  }),
  task,
  version: z.strictObject({ id: uuid, number: z.int(), contentHash: z.string() }),
  step,
  reportTo: z.string().openapi({
    description: "The path to which the worker reports, relative to the address of this service.",
  }),
});

const currentStep = {
  id: STEP_ID,
  kind: "pre_qa",
  attempt: 1,
  status: "queued",
  gate: "pending",
  hold: null,
} as const;

const PIPELINE_EXAMPLE: WebhookExample<z.input<typeof pipelineData>> = {
  id: DISPATCH_ID,
  timestamp: "2026-11-27T16:44:15.000Z",
  data: {
    dispatchId: DISPATCH_ID,
    pipeline: "quality_automation",
    run: {
      id: RUN_ID,
      type: "QUALITY_AUTOMATION",
      attempt: 1,
      deadlineAt: "2026-11-27T16:54:14.731902Z",
    },
    task: {
      id: TASK_ID,
      externalId: "gsm8k-0042",
      title: "Natalia sold clips to 48 of her friends",
      taxonomyCode: "math.arithmetic",
      priority: 0,
      assignee: null,
      unifiedStatus: "CHECKING_QUALITY",
      attention: [],
      statusSince: AT,
      currentStep,
      activeVersion: { id: VERSION_ID, number: 1 },
      eventSeq: 3,
      archivedAt: null,
      duplicateOf: null,
      createdAt: "2026-11-27T16:44:03.511274Z",
      updatedAt: AT,
    },
    version: {
      id: VERSION_ID,
      number: 1,
      contentHash: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    },
    step: {
      id: STEP_ID,
      taskId: TASK_ID,
      versionId: VERSION_ID,
      kind: "pre_qa",
      attempt: 1,
      status: "queued",
      gate: "pending",
      hold: null,
      deferred: [],
      current: true,
    },
    reportTo: `/v1/worker-runs/${RUN_ID}`,
  },
};

/** Every message that the service sends to endpoints of tenants. */
export const MESSAGES: readonly Message[] = [
  ...WEBHOOK_EVENTS.map((event) => ({
    ...webhook,
    type: event,
    summary: WEBHOOK_DATA[event].description ?? event,
    data: WEBHOOK_DATA[event],
    example: WEBHOOK_EXAMPLES[event],
  })),
  {
    type: PING_EVENT,
    tag: "Webhooks",
    summary: "An admin pinged the webhook.",
    otherwise: "A ping is sent once and never retried.",
    data: z.strictObject({ webhook: z.string().openapi({ description: "The webhook's name." }) }),
    example: {
      id: "0199d2f5-3c01-7b25-90b7-4d2e8c6a1f58",
      timestamp: AT,
      data: { webhook: "grid-mirror" },
    },
  },
  {
    type: PIPELINE_EVENT,
    tag: "Pipelines",
    summary: "A pipeline's work on a step is requested.",
    otherwise: "After any other response the request is retried, or the dispatch becomes `dead`.",
    data: pipelineData,
    example: PIPELINE_EXAMPLE,
  },
];
