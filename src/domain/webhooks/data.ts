import * as z from "zod";
import { BULK_OPERATION_ACTIONS } from "../bulk/actions.ts";
import { OPERATION_STATES } from "../bulk/states.ts";
import { PIPELINE_NAMES } from "../pipelines/pipelines.ts";
import { ATTENTION_CODES } from "../status/attention.ts";
import { UNIFIED_STATUSES } from "../status/unified.ts";
import type { WebhookEvent } from "./events.ts";

const label = z.enum(UNIFIED_STATUSES);
const codes = z.array(z.enum(ATTENTION_CODES));

/** The fields of every message about a task. */
const aboutTask = {
  taskId: z.uuid(),
  externalId: z.string().nullable(),
  eventSeq: z
    .int()
    .describe(
      "The event that caused the change. Of two messages, the one with the higher number is newer.",
    ),
  at: z.string().describe("The time of the event."),
};

/** The `data` of each message, by its event. */
export const WEBHOOK_DATA = {
  "task.label_changed": z
    .strictObject({
      ...aboutTask,
      title: z.string().describe("The title at that time."),
      from: label.nullable().describe("Null if the event created the task."),
      to: label,
      bulkOperationId: z.uuid().nullable().describe("The bulk operation that made the change."),
    })
    .describe("A task was created, or its label changed."),
  "task.attention": z
    .strictObject({
      ...aboutTask,
      added: codes,
      removed: codes,
      attention: codes.describe("All codes after the change."),
    })
    .describe("The attention codes of a task changed."),
  "bulk.finished": z
    .strictObject({
      operationId: z.uuid(),
      action: z
        .enum(BULK_OPERATION_ACTIONS)
        .nullable()
        .describe("Null if the operation had a target status."),
      targetStatus: label.nullable().describe("Null if the operation had an action."),
      reason: z.string(),
      actor: z.strictObject({ id: z.string(), name: z.string() }),
      state: z.enum(OPERATION_STATES).exclude(["queued", "running"]),
      counts: z
        .strictObject({
          requested: z.int(),
          changed: z.int(),
          refused: z.int(),
          stale: z.int(),
          failed: z.int(),
        })
        .describe("The number of tasks by outcome."),
      dispatched: z.int().describe("The number of pipelines that were dispatched."),
      recalled: z
        .int()
        .describe("The number of dispatches that a revert recalled before delivery."),
      alreadyDelivered: z
        .int()
        .describe("The number of dispatches that a revert could not recall."),
      parentId: z.uuid().nullable().describe("The operation that it retried or reverted."),
      createdAt: z.string(),
      finishedAt: z.string(),
    })
    .describe("A bulk operation ended."),
  "dispatch.dead": z
    .strictObject({
      dispatchId: z.uuid(),
      pipeline: z.enum(PIPELINE_NAMES),
      taskId: z.uuid(),
      reason: z.string(),
      at: z.string(),
    })
    .describe("A pipeline was requested but could not be called. A person has to look into it."),
} as const satisfies Record<WebhookEvent, z.ZodType>;
export type WebhookData = {
  [Event in WebhookEvent]: z.output<(typeof WEBHOOK_DATA)[Event]>;
};
