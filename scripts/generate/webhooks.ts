import { z } from "zod";
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

- **No message is lost.** Messages about tasks are created from the feed, starting at the webhook's own position in it.
  All others are written in the transaction that they report.
- **A message can arrive more than once**, always with the same \`webhook-id\` and the same bytes. Store the ids that you
  have processed.
- **Messages arrive in any order.** The higher \`eventSeq\` is newer. If you need order, read \`GET /v1/events\`.
- **Respond with 2xx within 10 seconds**, and do the work afterwards. The body of your response is ignored. Redirects are
  not followed.
- A webhook reports what is committed after it was created, re-enabled, or subscribed to task events.

## If your endpoint fails

| your response | what happens |
| --- | --- |
| 2xx | delivered |
| 429, 5xx, no response | retried after ${delays()}. A longer \`Retry-After\` is honored, up to an hour. After ${DELIVERY_ATTEMPTS_MAX} attempts, the delivery is \`dead\` |
| any other 4xx, a redirect, an address that is not public | \`dead\` immediately. The webhook stays enabled |

\`GET /v1/webhooks/{name}/deliveries?state=dead\` lists what did not arrive and why, and
\`POST /v1/webhooks/{name}/deliveries/{deliveryId}/retry\` sends it again. A webhook with \`enabled: false\` receives
nothing: its pending deliveries wait, and events that happen in the meantime are not reported. When it is enabled again,
or gets another URL, pending deliveries are sent immediately. \`DELETE\` discards them.

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
