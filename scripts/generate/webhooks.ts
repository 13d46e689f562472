import { z } from "zod";
import { WEBHOOK_DATA } from "../../src/domain/webhooks/data.ts";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../../src/domain/webhooks/events.ts";
import { DELIVERY_ATTEMPTS_MAX, retryDelaySeconds } from "../../src/domain/webhooks/retries.ts";
import { PREVIOUS_SECRET_HOURS } from "../../src/outbound/secrets.ts";

/** docs/webhooks.md: how a system of one's own is told, and what each message says. */
export function generateWebhooks(): string {
  return `# Webhooks

A webhook tells a system of your own what happens. An admin makes one:

\`\`\`sh
curl -s -X PUT localhost:8787/v1/webhooks/grid-mirror -H "authorization: Bearer $KEY" \\
  -H 'content-type: application/json' \\
  -d '{"url": "https://hooks.example.com/stepledger", "events": ["task.label_changed", "bulk.finished"]}'
\`\`\`

The answer bears the \`secret\` (\`whsec_…\`), once. The address is https and a public host; on your own machine
\`npm run dev\` also takes plain http on loopback. \`POST /v1/webhooks/{name}/ping\` tries it out and answers what the
endpoint said.

## What comes

Messages are [Standard Webhooks](https://www.standardwebhooks.com): any library of theirs verifies them, and
[examples/python/webhook_receiver.py](../examples/python/webhook_receiver.py) does it without one.

\`\`\`http
POST /stepledger HTTP/1.1
content-type: application/json
webhook-id: 0199d2f5-3b1c-7a45-9d2e-6f0a4c1b8e77
webhook-timestamp: 1795797855
webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

{"type": "task.label_changed", "timestamp": "2026-11-27T16:44:15.204813Z", "data": {…}}
\`\`\`

- **Nothing is lost.** Messages about tasks are made from the feed, from the webhook's own place in it; the others are
  written in the transaction that they tell of.
- **One may come more than once**, always under the same \`webhook-id\` and with the same bytes. Keep the ids that you
  have worked through.
- **They come in any order.** \`eventSeq\` tells which of two is newer. Who needs order reads \`GET /v1/events\`.
- **Answer 2xx within 10 seconds** and work afterwards. What you say in the body is thrown away, redirects are not
  followed.
- A webhook that is made, enabled again, or begins to listen to tasks hears of what is committed from then on.

## When your side is down

| your answer | what follows |
| --- | --- |
| 2xx | delivered |
| 429, 5xx, no answer | tried again after ${waits()}; later where \`Retry-After\` asks for more, up to an hour. After ${DELIVERY_ATTEMPTS_MAX} tries it is \`dead\` |
| another 4xx, a redirect, an address that is not public | \`dead\` at once; the webhook stays as it is |

\`GET /v1/webhooks/{name}/deliveries?state=dead\` shows what did not arrive and why,
\`POST /v1/webhooks/{name}/deliveries/{deliveryId}/retry\` sends it again. A webhook with \`enabled: false\` gets nothing:
what waits for it waits on, what happens meanwhile it is not told. Enabled again, or led to another address, it gets at
once what waits. \`DELETE\` gives up what waits.

## Another secret

\`POST /v1/webhooks/{name}/rotate\` answers with a new one. For ${PREVIOUS_SECRET_HOURS} hours each message bears two signatures, one by
each secret, so that your side can change over without losing any; then the old one is void.

## The messages

${WEBHOOK_EVENTS.map(section).join("\n\n")}

### webhook.ping

Sent by a ping alone. \`data\` is \`{ "webhook": name }\`.
`;
}

/** The part of a JSON Schema that the tables show. */
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

/** More names than these are told elsewhere. */
const NAMES_MAX = 6;

/** A schema in a few words. */
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

function waits(): string {
  const seconds = Array.from(
    { length: DELIVERY_ATTEMPTS_MAX - 1 },
    (_, index) => retryDelaySeconds(index + 1, null) ?? 0,
  );
  return seconds.map(inWords).join(", ");
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}
