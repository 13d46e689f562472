import { OpenAPIRegistry, OpenApiGeneratorV31 } from "@asteasolutions/zod-to-openapi";
import * as z from "zod";
import { type Contract, rawBody } from "./contract.ts";
import { type Message, messageOf } from "./openapi-messages.ts";
import { METHOD_NOT_ALLOWED, responsesOf } from "./openapi-responses.ts";
import { satisfiable } from "./openapi-schemas.ts";
import { START_HERE, tagsOf } from "./openapi-tags.ts";
import { withPlainParameters } from "./parameters.ts";
import { EVENT_STREAM } from "./streaming.ts";

/** The most common routes, in the order in which a newcomer needs them. */
const FIRST_ROUTES = [
  "POST /v1/tasks",
  "GET /v1/tasks",
  "GET /v1/tasks/{taskId}",
  "GET /v1/tasks/{taskId}/status",
  "PATCH /v1/steps/{stepId}",
  "POST /v1/tasks/{taskId}/advance",
  "POST /v1/tasks/{taskId}/rework",
  "POST /v1/tasks/{taskId}/reviews",
  "GET /v1/tasks/{taskId}/timeline",
  "POST /v1/tasks/import",
  "POST /v1/bulk/preview",
  "POST /v1/bulk/execute",
];

const DESCRIPTION = `Stepledger records the status of every task, how the task got there, and who decided it.

**Authentication.** Send an API key or a JSON Web Token in the \`Authorization\` header as a \`Bearer\` token.

**Errors.** Errors are \`application/problem+json\` (RFC 9457). Branch on \`error\`, a code that never changes.
\`retry\` says whether a retry can succeed.

**Idempotency.** Send an \`Idempotency-Key\` with every write, so that you can retry it safely.

**Values.** Every value of a response can be sent back. A \`null\` in an optional member of a request body means that the
member is absent, unless its schema allows \`null\`: then it clears the field. Numbers must be doubles, and an integer
must be one that comes back equal. Times can have any offset from UTC. Text is stored as you send it.

**Examples.** The example of each request body succeeds as it is, once what its path names exists and the task is where the
call needs it. The examples name tasks by external id: the one of \`POST /v1/tasks\` creates \`gsm8k-0042\`, and the one of
\`POST /v1/tasks/import\` creates \`gsm8k-0041\`.

**Headers.** Every response has an \`X-Request-Id\`, which is stored on each event that the request writes.
\`Server-Timing\` reports the number and duration of database round trips.`;

/**
 * Returns the OpenAPI 3.1 document, built from the schemas that validate requests. The output depends only on the
 * contracts and the messages.
 */
export function openApiDocument(
  contracts: readonly Contract[],
  messages: readonly Message[] = [],
): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key (`slg_…`) or a JWT from the configured issuer.",
  });
  const first = contracts.filter(isFirst).toSorted((one, other) => rankOf(one) - rankOf(other));
  const others = contracts.filter((contract) => !isFirst(contract));
  registry.registerComponent("responses", "MethodNotAllowed", METHOD_NOT_ALLOWED);
  const operations = [...first, ...others].map(operationOf);
  const sent = messages.map(messageOf);
  for (const operation of operations) registry.registerPath(operation);
  for (const message of sent) registry.registerWebhook(message);
  const document = new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: "3.1.0",
    info: {
      title: "Stepledger",
      version: "1",
      description: DESCRIPTION,
      contact: { name: "The maintainers of Stepledger" },
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [
      { url: "/", description: "The host that serves this document" },
      { url: "http://127.0.0.1:8787", description: "The local stack: `npm run dev`" },
    ],
    tags: tagsOf([...operations, ...sent]),
  });
  return withPlainParameters(satisfiable(document));
}

const rankOf = ({ method, path }: Contract): number => FIRST_ROUTES.indexOf(`${method} ${path}`);
const isFirst = (contract: Contract): boolean => rankOf(contract) !== -1;

function operationOf(contract: Contract) {
  const { params, query, body } = contract;
  const headers = requestHeaders(contract);
  return {
    operationId: contract.operationId,
    method: contract.method.toLowerCase() as Lowercase<Contract["method"]>,
    path: contract.path,
    summary: contract.summary,
    description: [contract.description, roleSentence(contract)].filter(Boolean).join("\n\n"),
    tags: [...(isFirst(contract) ? [START_HERE] : []), ...contract.tags],
    security: contract.role === "public" ? [] : [{ bearer: [] }],
    request: {
      ...(isEmpty(params) ? {} : { params }),
      ...(isEmpty(query) ? {} : { query }),
      ...(isEmpty(headers) ? {} : { headers }),
      ...(body === null ? {} : { body: bodyOf(body, contract.example) }),
    },
    responses: responsesOf(contract),
  };
}

const isEmpty = (schema: z.ZodObject): boolean => Object.keys(schema.shape).length === 0;

function roleSentence({ role, service }: Contract): string {
  if (role === "public") return "Requires no credential.";
  if (role === "service") return "Role: `service`.";
  const above = role === "admin" ? "" : " or above";
  return `Role: \`${role}\`${above}${service ? ", or `service`" : ""}.`;
}

const requestId = z.string().openapi({
  description:
    "Your id for this request: 1 to 128 letters, digits, dots, colons, dashes, or underscores. If it is absent or invalid, the service generates one.",
});
const idempotencyKey = z.string().min(1).max(255).openapi({
  description:
    "A unique key for this write, 1 to 255 visible ASCII characters. For 24 hours after the write succeeds, a retry with the same key returns the first response and changes nothing.",
});
const ifMatch = z.string().openapi({
  description:
    "An `ETag` of the task. The call succeeds only if the task is still in that state; otherwise it returns 412 `version_conflict`.",
  example: '"7"',
});
const ifNoneMatch = z.string().openapi({
  description: "An `ETag` from an earlier response. Returns 304 if it is still current.",
});
const range = z.string().openapi({
  description:
    "A single range of bytes, which returns 206 with that part. A range that starts beyond the end returns 416. Any other value is ignored.",
  example: "bytes=0-1023",
});
const lastEventId = z.string().openapi({
  description: "The `id` of the last event that you read. Browsers send it when they reconnect.",
});

function requestHeaders(contract: Contract): z.ZodObject {
  const { idempotency, concurrency, method, response, alternative } = contract;
  const hasETag = method === "GET" && response.headers?.includes("ETag") === true;
  return z.object({
    ...(contract.role !== "public" && { "X-Request-Id": requestId.optional() }),
    ...(idempotency === "required" && { "Idempotency-Key": idempotencyKey }),
    ...(idempotency === "optional" && { "Idempotency-Key": idempotencyKey.optional() }),
    ...(concurrency && { "If-Match": ifMatch.optional() }),
    ...(hasETag && { "If-None-Match": ifNoneMatch.optional() }),
    ...(alternative?.status === 206 && { Range: range.optional() }),
    ...(response.mediaType === EVENT_STREAM && { "Last-Event-ID": lastEventId.optional() }),
  });
}

function bodyOf(schema: z.ZodType, example: unknown) {
  const shown = example === undefined ? {} : { example };
  if (schema === rawBody) {
    return { required: true, content: { "*/*": { schema: byteString, ...shown } } };
  }
  const required = !schema.safeParse({}).success;
  return { required, content: { "application/json": { schema, ...shown } } };
}

const byteString = z.string().openapi({ format: "binary" });
