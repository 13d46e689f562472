import * as z from "zod";
import { pingWebhook } from "../actions/webhooks/ping-webhook.ts";
import { putWebhook } from "../actions/webhooks/put-webhook.ts";
import { removeWebhook } from "../actions/webhooks/remove-webhook.ts";
import { RESEND_REFUSALS, resendMatching } from "../actions/webhooks/resend-deliveries.ts";
import { retryWebhookDelivery } from "../actions/webhooks/retry-delivery.ts";
import { rotateWebhookSecret } from "../actions/secrets/rotate-secret.ts";
import { type DeliveryFilter, listDeliveries } from "../db/webhooks/webhook-deliveries.ts";
import { listWebhooks } from "../db/webhooks/webhooks.ts";
import { DELIVERY_STATES, WEBHOOK_EVENTS } from "../domain/webhooks/events.ts";
import { ENDPOINT_LENGTH_MAX } from "../outbound/endpoint-rules.ts";
import { succeed } from "../domain/refusals.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import {
  afterTime,
  type FilterQuery,
  freeFormValue,
  integerText,
  page,
  paging,
  reason,
  safeText,
  timestamp,
  uuid,
  timeOrDay,
} from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { batchInput, batchOutput, batchView } from "./shapes/batch.ts";
import { previousSecretUntil, rotation, ROTATION_DESCRIPTION, secret } from "./shapes/secret.ts";

const TAGS = ["Webhooks"] as const;

const webhookName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    "Must be 1 to 64 of a-z, 0-9, dash, and underscore, starting with a letter or digit.",
  )
  .openapi("WebhookName", { example: "grid-mirror" });
const event = z.enum(WEBHOOK_EVENTS).openapi("WebhookEvent");
const deliveryState = z.enum(DELIVERY_STATES).openapi("WebhookDeliveryState");

const webhookFields = {
  name: webhookName,
  url: z.string(),
  events: z.array(event),
  enabled: z.boolean(),
  goneAt: timestamp.nullable().openapi({
    description:
      "When the endpoint returned 410 (gone), which disabled the webhook. Enable it again with PUT. Null if it is enabled, or was disabled by an admin.",
  }),
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
  summary: "Create or update a webhook",
  description:
    "Sends messages about the chosen events to your URL. Messages are signed as defined by Standard Webhooks, and delivery is attempted for about a day. docs/webhooks.md describes the messages. A webhook that is new, or enabled again, receives the events that are committed from then on.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  body: z
    .strictObject({
      url: safeText(ENDPOINT_LENGTH_MAX).openapi({
        description: "An https URL of a public host.",
        example: "https://hooks.example.com/stepledger",
      }),
      events: z.array(event).min(1).max(WEBHOOK_EVENTS.length),
      enabled: z.boolean().default(true),
      reason: reason.optional(),
    })
    .openapi("PutWebhook"),
  example: {
    url: "https://hooks.example.com/stepledger",
    events: ["task.label_changed", "bulk.finished"],
  },
  response: {
    status: 201,
    description: "The new webhook with its secret, which only this response contains.",
    schema: webhookWithSecret,
  },
  alternative: {
    status: 200,
    description: "The updated webhook. Its secret is unchanged.",
    schema: webhookWithSecret,
  },
  errors: ["url_not_allowed", "stale", "operation_in_progress"],
});

const listContract = defineContract({
  operationId: "listWebhooks",
  method: "GET",
  path: "/webhooks",
  summary: "List webhooks",
  description: "Returns the webhooks of the tenant by name. Does not return secrets.",
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
  summary: "Delete a webhook",
  description:
    "Deletes the webhook and its secrets. Nothing more is sent to it, and its deliveries can no longer be read. A new webhook with the same name starts without them.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  query: z.strictObject({ reason: reason.optional() }),
  response: {
    status: 200,
    description: "The deleted webhook, disabled.",
    schema: z.strictObject(webhookFields).openapi("Webhook"),
  },
  errors: ["not_found", "operation_in_progress"],
});

const pingContract = defineContract({
  operationId: "pingWebhook",
  method: "POST",
  path: "/webhooks/{name}/ping",
  summary: "Ping a webhook",
  description:
    "Sends a signed `webhook.ping` immediately and once, even if the webhook is disabled. Returns how the endpoint responded.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  response: {
    status: 200,
    description: "The result of the delivery.",
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
  summary: "Rotate a webhook's secret",
  description: ROTATION_DESCRIPTION,
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  body: rotation,
  example: { reason: "The yearly rotation." },
  response: {
    status: 200,
    description: "The webhook with its new secret, which only this response contains.",
    schema: webhookWithSecret,
  },
  errors: ["not_found", "conflict", "stale"],
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

const STATUS_MIN = 100;
const STATUS_MAX = 599;

const deliveryFilterQuery = {
  state: deliveryState.optional(),
  event: event.optional(),
  responseStatus: integerText(STATUS_MIN, STATUS_MAX).optional(),
  createdAfter: afterTime.optional(),
  createdBefore: timeOrDay.optional(),
} satisfies FilterQuery<DeliveryFilter>;

const deliveriesContract = defineContract({
  operationId: "listWebhookDeliveries",
  method: "GET",
  path: "/webhooks/{name}/deliveries",
  summary: "List a webhook's deliveries",
  description:
    "Returns the webhook's deliveries, newest first. `id` is the `webhook-id` of the message.",
  tags: TAGS,
  role: "admin",
  service: false,
  params: onWebhook,
  query: z.strictObject({
    ...deliveryFilterQuery,
    ...paging,
  }),
  response: { status: 200, description: "A page of deliveries.", schema: page(delivery) },
  errors: ["not_found", "invalid_cursor"],
});

const retryContract = defineContract({
  operationId: "retryWebhookDelivery",
  method: "POST",
  path: "/webhooks/{name}/deliveries/{deliveryId}/retry",
  summary: "Retry a webhook delivery",
  description:
    "Sends the message again, whatever its state, with the same `webhook-id` and the full number of attempts.",
  tags: TAGS,
  role: "admin",
  params: z.strictObject({ name: webhookName, deliveryId: uuid }),
  body: z.strictObject({ reason: reason.optional() }).openapi("RetryWebhookDelivery"),
  example: { reason: "The receiver is available again." },
  response: { status: 200, description: "The delivery, which is pending.", schema: delivery },
  errors: ["not_found"],
  idempotency: "optional",
});

const retryManyContract = defineContract({
  operationId: "retryWebhookDeliveries",
  method: "POST",
  path: "/webhooks/{name}/deliveries/retry",
  summary: "Retry webhook deliveries",
  description:
    "Sends all messages that match again, each with its own `webhook-id` and the full number of attempts. A call looks at up to 1,000, the oldest first, and `nextAfter` says where to go on. With `dryRun`, it only says what it would do. A webhook that is disabled keeps them until it is enabled.",
  tags: TAGS,
  role: "admin",
  params: onWebhook,
  body: z
    .strictObject({
      filter: z
        .strictObject({
          ...deliveryFilterQuery,
          responseStatus: z.int().min(STATUS_MIN).max(STATUS_MAX).optional(),
          state: deliveryState.default("dead"),
        })
        .default({ state: "dead" })
        .openapi({
          description:
            "Which deliveries: all that match every given member, as in the list. By default, all that are `dead`.",
        }),
      reason: reason.optional(),
      ...batchInput,
    })
    .openapi("RetryWebhookDeliveries"),
  example: { filter: { event: "bulk.finished" }, reason: "The receiver is available again." },
  response: {
    status: 200,
    description: "How many are sent again, and how many are not, and why.",
    schema: batchOutput,
  },
  errors: ["not_found"],
  idempotency: "optional",
});

export const webhookRoutes: readonly Route[] = [
  createHandler(putContract, async (call, { params, body }) => {
    // Only a new webhook gets a secret here.
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
  createHandler(deleteContract, async (call, { params, query }) =>
    replyTo(await removeWebhook(call, { ...params, ...query })),
  ),
  createHandler(pingContract, async (call, { params }) => {
    const outcome = await pingWebhook(call, params.name);
    return outcome.ok ? reply(outcome.value) : outcome;
  }),
  createHandler(rotateContract, async (call, { params, body }) =>
    replyTo(await rotateWebhookSecret(call, { ...params, ...body })),
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
  createHandler(retryManyContract, async (call, { params, body: input }) => {
    const resent = await resendMatching(call, { ...input, webhook: params.name });
    if (!resent.ok) return resent;
    const { value, replayed } = resent.value;
    return replyTo(succeed({ value: batchView(value, input.dryRun, RESEND_REFUSALS), replayed }));
  }),
  createHandler(retryContract, async (call, { params, body }) => {
    const { name: webhook, deliveryId } = params;
    return replyTo(await retryWebhookDelivery(call, { webhook, deliveryId, ...body }));
  }),
];
