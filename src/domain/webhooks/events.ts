/** The events that a webhook can subscribe to. */
export const WEBHOOK_EVENTS = [
  "task.label_changed",
  "task.attention",
  "bulk.finished",
  "dispatch.dead",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** The events whose messages come from the feed. The statement that causes any other event writes its messages. */
export const TASK_EVENTS = [
  "task.label_changed",
  "task.attention",
] as const satisfies readonly WebhookEvent[];
export type TaskEvent = (typeof TASK_EVENTS)[number];

/** The type of the test message. A webhook cannot subscribe to it. */
export const PING_EVENT = "webhook.ping";

/** The states of a message to a webhook. */
export const DELIVERY_STATES = ["pending", "delivered", "dead"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
