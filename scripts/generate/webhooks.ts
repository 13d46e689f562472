import { z } from "zod";
import { BATCH_MAX } from "../../src/domain/delivery/batch.ts";
import { ENDPOINT_LAW, type WebhookVerdict } from "../../src/domain/delivery/endpoint-law.ts";
import { WEBHOOK_DATA } from "../../src/domain/webhooks/data.ts";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../../src/domain/webhooks/events.ts";
import {
  DELIVERY_ATTEMPTS_MAX,
  retryDelaySeconds,
} from "../../src/domain/webhooks/delivery-backoff.ts";
import { LIVE_SECRETS_MAX, OVERLAP_HOURS } from "../../src/db/webhooks/signing-secrets.ts";

/** Generates docs/webhooks.md: how webhooks work, and the content of each message. */
export function generateWebhooks(): string {
  return `# Webhooks

A webhook sends events to your own system. An admin creates one:

\`\`\`sh
curl -s -X PUT localhost:8787/v1/webhooks/grid-mirror -H "authorization: Bearer $KEY" \\
  -H 'content-type: application/json' \\
  -d '{"url": "https://hooks.example.com/stepledger", "events": ["task.label_changed", "bulk.finished"]}'
\`\`\`

The response contains the \`secret\` (\`whsec_…\`), and no later response does. The URL must be https with a public host.
With \`npm run dev\`, plain http on loopback works too. \`POST /v1/webhooks/{name}/ping\` sends a test message and returns
the endpoint's response.

## Messages

Messages follow [Standard Webhooks](https://www.standardwebhooks.com), so any of its libraries can verify them.
[examples/python/webhook_receiver.py](../examples/python/webhook_receiver.py) verifies them without a library.

\`\`\`http
POST /stepledger HTTP/1.1
content-type: application/json
webhook-id: 0199d2f5-3b1c-7a45-9d2e-6f0a4c1b8e77
webhook-timestamp: 1795797855
webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

{"type": "task.label_changed", "timestamp": "2026-11-27T16:44:15.204813Z", "data": {…}}
\`\`\`

The \`webhooks\` of the [OpenAPI document](openapi.json) have an example of each message. Its headers are signed with a
secret that the document names, so you can test your receiver with them.

- **No message is lost.** Messages about tasks are created from the feed, starting at the webhook's own position in it.
  All others are written in the transaction that they report.
- **A message can arrive more than once**, always with the same \`webhook-id\` and the same bytes. Store the ids that you
  have processed.
- **Messages arrive in any order.** The higher \`eventSeq\` is newer. If you need order, read \`GET /v1/events\`.
- **Respond with 2xx within 10 seconds**, and do the work afterwards. The body of your response is ignored. Redirects are
  not followed.
- A webhook reports what is committed after it was created, re-enabled by an admin who had disabled it, or subscribed to task
  events.

## If your endpoint fails

| your response | what happens | why |
| --- | --- | --- |
${ENDPOINT_LAW.map(lawRow).join("\n")}
| no response, or a broken connection | retried | It often passes. |
| none: the address is not public | \`dead\` immediately | Such an address is never called. |

- **Retried** means: after ${delays()}. A longer \`Retry-After\` is honored, up to an hour.
  After ${DELIVERY_ATTEMPTS_MAX} attempts, about a day, the delivery is \`dead\`.
- **Switched off** means: the webhook gets \`enabled: false\` and \`goneAt\`, which \`GET /v1/webhooks\` shows, and
  \`GET /v1/admin/events?type=webhook_switched_off\` has an event by the actor \`system\`. If the webhook was changed since the
  call began, it stays on. To switch it on again, \`PUT\` it with \`enabled: true\`, or with its new URL. A ping that gets 410
  changes nothing.
- A webhook with \`enabled: false\` receives nothing, and its pending deliveries wait, also the one that got the 410. When it
  is enabled again, or gets another URL, they are sent immediately. \`DELETE\` discards them.
- What happens while an admin has disabled a webhook is not reported. What happens while it is switched off is reported
  once it is switched on again, so a 410 by mistake loses nothing.

## Sending messages again

\`GET /v1/webhooks/{name}/deliveries?state=dead\` lists what did not arrive and why.
\`POST /v1/webhooks/{name}/deliveries/{deliveryId}/retry\` sends one message again, and
\`POST /v1/webhooks/{name}/deliveries/retry\` all that match a filter:

\`\`\`sh
curl -s -X POST localhost:8787/v1/webhooks/grid-mirror/deliveries/retry -H "authorization: Bearer $KEY" \\
  -H 'content-type: application/json' -H "idempotency-key: $(uuidgen)" \\
  -d '{"filter": {"createdAfter": "2026-11-27T00:00:00Z"}, "reason": "The receiver was down", "dryRun": true}'
\`\`\`

- The filter is that of the list: \`state\`, \`event\`, \`responseStatus\`, \`createdAfter\`, \`createdBefore\`. Without \`state\`, only
  \`dead\` deliveries match.
- \`dryRun\` changes nothing and returns how many match, how many would be sent, and how many not, and why.
- A call looks at up to ${BATCH_MAX} deliveries, the oldest first. If there are more, pass its \`nextAfter\` as \`after\`.
- A delivery that is being sent, or still waits for its first attempt, is left as it is.
- Each message keeps its \`webhook-id\` and gets all its attempts again. One event of administration records the call.
- \`stepledger webhooks resend grid-mirror --since 2026-11-27T00:00:00Z --dry-run\` does the same, call after call.

## Rotating the secret

\`POST /v1/webhooks/{name}/rotate\` returns a new secret. The old one stays valid for another ${OVERLAP_HOURS} hours, even if you rotate
again: each message has one signature for every valid secret, the newest first, so you can switch without losing a
message. Up to ${LIVE_SECRETS_MAX} secrets are valid at once.

If you lost the response, repeat the request with the same \`Idempotency-Key\`: it returns the same secret.

## Message types

${WEBHOOK_EVENTS.map(section).join("\n\n")}

### webhook.ping

Sent only by a ping. \`data\` is \`{ "webhook": name }\`.
`;
}

const VERDICTS: Readonly<Record<WebhookVerdict, string>> = {
  delivered: "delivered",
  retry: "retried",
  switch_off: "the webhook is switched off; the delivery waits",
};

function lawRow({ statuses, webhook, why }: (typeof ENDPOINT_LAW)[number]): string {
  const others = statuses.length > 1 && statuses.includes("4xx");
  const codes = statuses.map((status) => (others && status === "4xx" ? "any other 4xx" : status));
  return `| ${codes.join(", ")} | ${VERDICTS[webhook]} | ${why} |`;
}

/** The part of a JSON Schema that the tables display. */
const shown = z.object({
  description: z.string(),
  properties: z.record(z.string(), z.looseObject({ description: z.string().optional() })),
});

function section(event: WebhookEvent): string {
  const { description, properties } = shown.parse(z.toJSONSchema(WEBHOOK_DATA[event]));
  const rows = Object.entries(properties).map(
    ([name, schema]) => `| \`${name}\` | ${typeOf(schema)} | ${schema.description ?? ""} |`,
  );
  return `### ${event}

${description}

| data | | |
| --- | --- | --- |
${rows.join("\n")}`;
}

const plain = z.looseObject({
  type: z
    .union([z.string(), z.array(z.string())])
    .transform((type) => [type].flat())
    .default([]),
  format: z.string().optional(),
  enum: z.array(z.string().nullable()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** Longer lists of names are documented elsewhere. */
const NAMES_MAX = 6;

/** Describes a schema in a few words. */
function typeOf(schema: unknown): string {
  const { type, format, enum: values, items, anyOf, properties } = plain.parse(schema);
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ");
  if (properties !== undefined) return inCode(Object.keys(properties));
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (values !== undefined && values.length <= NAMES_MAX) return inCode(values);
  if (format === "uuid") return type.map((name) => (name === "string" ? "id" : name)).join(" or ");
  return type.map((name) => (name === "string" ? "text" : name)).join(" or ");
}

function inCode(names: readonly (string | null)[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function delays(): string {
  const seconds = Array.from(
    { length: DELIVERY_ATTEMPTS_MAX - 1 },
    (_, index) => retryDelaySeconds(index + 1, null) ?? 0,
  );
  return seconds.map(durationOf).join(", ");
}

function durationOf(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}
