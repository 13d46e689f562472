/** What a tenant's own system can be told of. */
export const WEBHOOK_EVENTS = [
  "task.label_changed",
  "task.attention",
  "bulk.finished",
  "dispatch.dead",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Those that are made from the feed; the others are told by the statement that they tell of. */
export const TASK_EVENTS = [
  "task.label_changed",
  "task.attention",
] as const satisfies readonly WebhookEvent[];
export type TaskEvent = (typeof TASK_EVENTS)[number];

/** The type of the message that tries a webhook out; nobody subscribes to it. */
export const PING_EVENT = "webhook.ping";

/** States of one message to a webhook. */
export const DELIVERY_STATES = ["pending", "delivered", "dead"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
