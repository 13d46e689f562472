import * as z from "zod";
import { BULK_OPERATION_ACTIONS } from "../bulk/actions.ts";
import { OPERATION_STATES } from "../bulk/states.ts";
import { PIPELINE_NAMES } from "../pipelines/pipelines.ts";
import { ATTENTION_CODES } from "../status/attention.ts";
import { UNIFIED_STATUSES } from "../status/unified.ts";
import type { WebhookEvent } from "./events.ts";

const label = z.enum(UNIFIED_STATUSES);
const codes = z.array(z.enum(ATTENTION_CODES));

/** What every message about a task says. */
const aboutTask = {
  taskId: z.uuid(),
  externalId: z.string().nullable(),
  eventSeq: z
    .int()
    .describe(
      "The event that changed it. Of two messages the one with the higher number is newer.",
    ),
  at: z.string().describe("The event's time."),
};

/** The `data` of each message, by its event. */
export const WEBHOOK_DATA = {
  "task.label_changed": z
    .strictObject({
      ...aboutTask,
      title: z.string().describe("As it was then."),
      from: label.nullable().describe("Null where the event made the task."),
      to: label,
      bulkOperationId: z.uuid().nullable().describe("The bulk operation that changed it."),
    })
    .describe("A task was made, or its label became another one."),
  "task.attention": z
    .strictObject({
      ...aboutTask,
      added: codes,
      removed: codes,
      attention: codes.describe("All that hold from then on."),
    })
    .describe("A task asks for attention, or does so no more."),
  "bulk.finished": z
    .strictObject({
      operationId: z.uuid(),
      action: z.enum(BULK_OPERATION_ACTIONS).nullable().describe("Null where it had a target."),
      targetStatus: label.nullable().describe("Null where it had an action."),
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
        .describe("How many tasks ended how."),
      dispatched: z.int().describe("How many pipelines were asked for."),
      recalled: z.int().describe("How many of them a revert called back in time."),
      alreadyDelivered: z.int().describe("How many had left before a revert."),
      parentId: z.uuid().nullable().describe("The operation that it retried or reverted."),
      createdAt: z.string(),
      finishedAt: z.string(),
    })
    .describe("A bulk operation came to its end."),
  "dispatch.dead": z
    .strictObject({
      dispatchId: z.uuid(),
      pipeline: z.enum(PIPELINE_NAMES),
      taskId: z.uuid(),
      reason: z.string(),
      at: z.string(),
    })
    .describe("A pipeline was asked for and could not be called; somebody has to look."),
} as const satisfies Record<WebhookEvent, z.ZodType>;
export type WebhookData = {
  [Event in WebhookEvent]: z.output<(typeof WEBHOOK_DATA)[Event]>;
};
