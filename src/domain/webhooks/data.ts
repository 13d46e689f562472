import { z } from "zod";
import { BULK_OPERATION_ACTIONS } from "../bulk/actions.ts";
import { OPERATION_STATES, PIPELINES } from "../lifecycle/statuses.ts";
import { ATTENTION_CODES } from "../status/attention.ts";
import { UNIFIED_STATUSES } from "../status/unified.ts";
import type { WebhookEvent } from "./events.ts";

const label = z.enum(UNIFIED_STATUSES);
const attention = z.array(z.enum(ATTENTION_CODES));

/** What every message about a task says. */
const aboutTask = {
  taskId: z.uuid(),
  externalId: z.string().nullable(),
  /** The event that changed it: the higher one is the newer, whatever order messages come in. */
  eventSeq: z.int(),
  at: z.string(),
};

/** The `data` of each message, by its event. */
export const WEBHOOK_DATA = {
  "task.label_changed": z.strictObject({
    ...aboutTask,
    title: z.string(),
    /** Null where the task was made by this event. */
    from: label.nullable(),
    to: label,
    bulkOperationId: z.uuid().nullable(),
  }),
  "task.attention": z.strictObject({
    ...aboutTask,
    added: attention,
    removed: attention,
    /** All that hold now. */
    attention,
  }),
  "bulk.finished": z.strictObject({
    operationId: z.uuid(),
    /** One of the two is null. */
    action: z.enum(BULK_OPERATION_ACTIONS).nullable(),
    targetStatus: label.nullable(),
    state: z.enum(OPERATION_STATES),
    counts: z.strictObject({
      requested: z.int(),
      changed: z.int(),
      refused: z.int(),
      stale: z.int(),
      failed: z.int(),
    }),
    dispatched: z.int(),
    /** The operation that this one retried or reverted. */
    parentId: z.uuid().nullable(),
    finishedAt: z.string(),
  }),
  "dispatch.dead": z.strictObject({
    dispatchId: z.uuid(),
    pipeline: z.enum(PIPELINES),
    taskId: z.uuid(),
    reason: z.string(),
    at: z.string(),
  }),
} as const satisfies Record<WebhookEvent, z.ZodType>;
export type WebhookData = {
  [Event in WebhookEvent]: z.output<(typeof WEBHOOK_DATA)[Event]>;
};
