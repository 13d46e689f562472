import * as z from "zod";
import { pingWebhook } from "../actions/webhooks/ping-webhook.ts";
import { putWebhook } from "../actions/webhooks/put-webhook.ts";
import { removeWebhook } from "../actions/webhooks/remove-webhook.ts";
import { renewWebhookDelivery } from "../actions/webhooks/renew-delivery.ts";
import { rotateWebhookSecret } from "../actions/secrets/rotate-secret.ts";
import { listDeliveries } from "../db/webhooks/webhook-deliveries.ts";
import { listWebhooks } from "../db/webhooks/webhooks.ts";
import { DELIVERY_STATES, WEBHOOK_EVENTS } from "../domain/webhooks/events.ts";
import { ENDPOINT_LENGTH_MAX } from "../outbound/endpoint-rules.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { freeFormValue, page, paging, safeText, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { previousSecretUntil, ROTATION, secret } from "./shapes/secret.ts";

const TAGS = ["Webhooks"] as const;

const webhookName = z
  .string()
  .regex(/^[a-z\d][a-z\d_-]{0,63}$/, "Must be 1 to 64 of a-z, 0-9, dash and underscore.")
  .openapi("WebhookName", { example: "grid-mirror" });
const event = z.enum(WEBHOOK_EVENTS).openapi("WebhookEvent");
const deliveryState = z.enum(DELIVERY_STATES).openapi("WebhookDeliveryState");

const webhookFields = {
  name: webhookName,
  url: z.string(),
  events: z.array(event),
  enabled: z.boolean(),
  previousSecretUntil,
  createdAt: timestamp,
  updatedAt: timestamp,
};

const webhookWithSecret = z.strictObject({ ...webhookFields, secret }).openapi("WebhookWithSecret");

const onWebhook = z.strictObject({ name: webhookName });

const putContract = defineContract({
  operationId: "putWebhook",
  method: "PUT",
  path: "/webhooks/{name}",
  summary: "Have a system of your own told of changes",
  description:
    "Messages are signed as Standard Webhooks has it and tried for about a day; docs/webhooks.md tells what they say. One that is made, or enabled again, hears of what is committed from then on. Without `enabled` it is enabled.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  body: z
    .strictObject({
      url: safeText(ENDPOINT_LENGTH_MAX).openapi({
        description: "https, and a public host.",
        example: "https://hooks.example.com/stepledger",
      }),
      events: z.array(event).min(1).max(WEBHOOK_EVENTS.length),
      enabled: z.boolean().default(true),
    })
    .openapi("PutWebhook"),
  response: {
    status: 201,
    description: "The webhook was made; this answer alone shows its secret.",
    schema: webhookWithSecret,
  },
  alternative: {
    status: 200,
    description: "The webhook has these settings; its secret stayed as it was.",
    schema: webhookWithSecret,
  },
  errors: ["url_not_allowed", "operation_in_progress"],
});

const listContract = defineContract({
  operationId: "listWebhooks",
  method: "GET",
  path: "/webhooks",
  summary: "The webhooks of the tenant",
  description: "By name. No answer but the one that made it or rotated it shows a secret.",
  tags: TAGS,
  role: "admin",
  service: false,
  query: z.strictObject(paging),
  response: {
    status: 200,
    description: "A page of webhooks.",
    schema: page(z.strictObject(webhookFields).openapi("Webhook")),
  },
  errors: ["invalid_cursor"],
});

const deleteContract = defineContract({
  operationId: "deleteWebhook",
  method: "DELETE",
  path: "/webhooks/{name}",
  summary: "Take a webhook away",
  description:
    "Nothing more is sent to it, its secrets are gone, and its deliveries are out of sight. A new one of the same name has none of them.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  response: {
    status: 200,
    description: "The webhook as it was, disabled.",
    schema: z.strictObject(webhookFields).openapi("Webhook"),
  },
  errors: ["not_found", "operation_in_progress"],
});

const pingContract = defineContract({
  operationId: "pingWebhook",
  method: "POST",
  path: "/webhooks/{name}/ping",
  summary: "Try a webhook out",
  description:
    "Sends a signed `webhook.ping`, once and at once, also where the webhook is disabled, and answers what its endpoint said.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  response: {
    status: 200,
    description: "What became of the message.",
    schema: z
      .strictObject({
        delivered: z.boolean(),
        responseStatus: z.int().nullable(),
        error: z.string().nullable(),
      })
      .openapi("WebhookPing"),
  },
  errors: ["not_found"],
});

const rotateContract = defineContract({
  operationId: "rotateWebhookSecret",
  method: "POST",
  path: "/webhooks/{name}/rotate",
  summary: "Give a webhook another secret",
  description: ROTATION,
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  response: {
    status: 200,
    description: "The webhook with its new secret, which nothing shows again.",
    schema: webhookWithSecret,
  },
  errors: ["not_found"],
  idempotency: "optional",
});

const deliveryFields = {
  id: uuid,
  event,
  state: deliveryState,
  data: freeFormValue,
  occurredAt: timestamp,
  attempts: z.int(),
  nextAttemptAt: timestamp.nullable(),
  responseStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: timestamp,
  deliveredAt: timestamp.nullable(),
};
const delivery = z.strictObject(deliveryFields).openapi("WebhookDelivery");

const deliveriesContract = defineContract({
  operationId: "listWebhookDeliveries",
  method: "GET",
  path: "/webhooks/{name}/deliveries",
  summary: "What a webhook was told",
  description: "Newest first. `id` is the `webhook-id` of the message.",
  tags: TAGS,
  role: "admin",
  service: false,
  params: onWebhook,
  query: z.strictObject({
    state: deliveryState.optional(),
    event: event.optional(),
    ...paging,
  }),
  response: { status: 200, description: "A page of deliveries.", schema: page(delivery) },
  errors: ["not_found", "invalid_cursor"],
});

const retryContract = defineContract({
  operationId: "retryWebhookDelivery",
  method: "POST",
  path: "/webhooks/{name}/deliveries/{deliveryId}/retry",
  summary: "Send a message to a webhook again",
  description:
    "Whatever became of it: it is sent now, under the same `webhook-id`, and tried as often as a new one.",
  tags: TAGS,
  role: "admin",
  params: z.strictObject({ name: webhookName, deliveryId: uuid }),
  response: { status: 200, description: "The delivery, pending.", schema: delivery },
  errors: ["not_found"],
  idempotency: "optional",
});

export const webhookRoutes: readonly Route[] = [
  createHandler(putContract, async (call, { params, body }) => {
    // A secret is made for one that was not there.
    const outcome = await putWebhook(call, { ...params, ...body });
    return replyTo(outcome, (webhook) => (webhook.secret === null ? { status: 200 } : {}));
  }),
  createHandler(listContract, (call, { query }) =>
    answerPage(call, query, {
      operationId: listContract.operationId,
      filter: null,
      sort: "name",
      position: webhookName,
      read: (after, limit) => listWebhooks(call.database, { after, limit }),
      positionOf: ({ name }) => name,
      itemOf: (webhook) => webhook,
    }),
  ),
  createHandler(deleteContract, async (call, { params }) =>
    replyTo(await removeWebhook(call, params.name)),
  ),
  createHandler(pingContract, async (call, { params }) => {
    const outcome = await pingWebhook(call, params.name);
    return outcome.ok ? reply(outcome.value) : outcome;
  }),
  createHandler(rotateContract, async (call, { params }) =>
    replyTo(await rotateWebhookSecret(call, params.name)),
  ),
  createHandler(deliveriesContract, (call, { params, query }) => {
    const { limit, cursor, ...filter } = query;
    return answerPage(
      call,
      { limit, cursor },
      {
        operationId: deliveriesContract.operationId,
        filter: { webhook: params.name, ...filter },
        sort: "-id",
        position: uuid,
        read: (after, rows) =>
          listDeliveries(call.database, { webhook: params.name, filter }, { after, limit: rows }),
        positionOf: ({ id }) => id,
        itemOf: (item) => item,
      },
    );
  }),
  createHandler(retryContract, async (call, { params }) => {
    const { name: webhook, deliveryId } = params;
    return replyTo(await renewWebhookDelivery(call, { webhook, deliveryId }));
  }),
];
