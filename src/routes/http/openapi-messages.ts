import * as z from "zod";
import "./zod-openapi.ts";
import { signedHeaders } from "../../outbound/signed-headers.ts";

/** A message that the service sends to an endpoint of a tenant. */
export interface Message {
  type: string;
  tag: string;
  summary: string;
  /** What happens if the endpoint does not accept the message. */
  otherwise: string;
  data: z.ZodType;
  example: MessageExample;
}

export interface MessageExample {
  id: string;
  /** When it happened. */
  timestamp: string;
  data: object;
}

const SECRET = "the secret of the documentation";
/** Signs the examples, and nothing else. */
export const EXAMPLE_SECRET = `whsec_${btoa(SECRET)}`;
/** When the examples were sent. */
const SENT_AT = new Date("2026-11-27T16:44:15.000Z");

const HEADER_DESCRIPTIONS = {
  "webhook-id": "The message's id. It is the same for every attempt.",
  "webhook-timestamp": "The time of this attempt, in seconds since the Unix epoch.",
  "webhook-signature": `The signature, as defined by Standard Webhooks. For 24 hours after a rotation there are two. That of the example is made with the secret \`${EXAMPLE_SECRET}\` over the example without spaces between its members.`,
  "user-agent": "The name of the service.",
};

/** Describes a message. Its example has the headers that the service would send with it. */
export function messageOf({ type, tag, summary, otherwise, data, example }: Message) {
  const value = { type, timestamp: example.timestamp, data: example.data };
  const name = type.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase());
  const schema = z
    .object({ type: z.literal(type), timestamp: z.iso.datetime(), data })
    .openapi(`${name.charAt(0).toUpperCase()}${name.slice(1)}Message`);
  return {
    method: "post" as const,
    path: type,
    operationId: name,
    summary,
    tags: [tag],
    security: [],
    request: {
      headers: headersOf(example.id, JSON.stringify(value)),
      body: { required: true, content: { "application/json": { schema, example: value } } },
    },
    responses: { "2XX": { description: `Your endpoint accepted the message. ${otherwise}` } },
  };
}

function headersOf(id: string, body: string): z.ZodObject {
  const secrets = [new TextEncoder().encode(SECRET)];
  const sent = signedHeaders({ id, timestamp: SENT_AT, body, secrets });
  const described = Object.entries(HEADER_DESCRIPTIONS) as [
    keyof typeof HEADER_DESCRIPTIONS,
    string,
  ][]; // keys of a literal
  return z.object(
    Object.fromEntries(
      described.map(([name, description]) => [
        name,
        z.string().openapi({ description, example: sent[name] }),
      ]),
    ),
  );
}
