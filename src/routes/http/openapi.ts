import { OpenAPIRegistry, OpenApiGeneratorV31 } from "@asteasolutions/zod-to-openapi";
import * as z from "zod";
import { WEBHOOK_DATA } from "../../domain/webhooks/data.ts";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../../domain/webhooks/events.ts";
import { type Contract, errorsOf, rawBody, type ResponseContract } from "./contract.ts";
import { withPlainParameters } from "./parameters.ts";
import { lawfulCall } from "./lawful-call-schema.ts";
import { EVENT_STREAM } from "./streaming.ts";
import { ERROR_CODES, type ErrorCode, PROBLEM_MEDIA_TYPE, PROBLEMS, RETRIES } from "./problem.ts";

const START_HERE = "Start here";

const TAG_DESCRIPTIONS: Readonly<Record<string, string>> = {
  [START_HERE]: "The most common calls.",
  "Tasks and versions":
    "A task has versions of its content. Only the active version can move through the stages.",
  "Status and history":
    "A task's label and the rule that gives it, and the events that led to its state.",
  "Steps and moves":
    "Each attempt at a stage is a step with a status and a gate. These calls change it.",
  "Bulk changes": "One change for many tasks: preview, execute, follow, retry, and revert it.",
  "Reviews and workers": "Verdicts by people and by automation, and the runs of workers.",
  Pipelines: "The endpoints that do automated work, and the dispatches that request it.",
  "Prompts and data": "The texts that were sent to models, and the content that tasks produced.",
  "Evals, trials, and insights":
    "Evaluations of models on tasks, and the inference jobs behind them.",
  Statistics: "Counts and durations over a window of time, computed from the history.",
  Webhooks: "Messages to your own systems.",
  Taxonomy: "The codes that are proposed for tasks.",
  Administration: "API keys, the caller, and the tables that the service decides by.",
  "Demo tenants": "What demo tenants have to simulate life with.",
  Service: "Health checks.",
};

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
 * contracts.
 */
export function openApiDocument(contracts: readonly Contract[]): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key (`slg_…`) or a JWT from the configured issuer.",
  });
  const first = contracts.filter(isFirst).toSorted((one, other) => rankOf(one) - rankOf(other));
  const others = contracts.filter((contract) => !isFirst(contract));
  for (const contract of [...first, ...others]) {
    registry.registerPath(operationOf(contract));
  }
  for (const event of WEBHOOK_EVENTS) registry.registerWebhook(messageOf(event));
  const document = new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: "3.1.0",
    info: {
      title: "Stepledger",
      version: "1",
      description: DESCRIPTION,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/", description: "This host" }],
    tags: tagsOf(contracts),
  });
  return withPlainParameters(satisfiable(document));
}

/**
 * Fixes two constructs of zod-to-openapi that no value can satisfy: a nullable component, which it writes as an
 * `allOf` of the component and a type that includes null, and a pattern that includes its regex flag.
 */
function satisfiable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(satisfiable);
  if (typeof value !== "object" || value === null) return value;
  const fixed: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const isFlagged = name === "pattern" && typeof member === "string";
    fixed[name] = isFlagged ? member.replace(/\/u$/, "") : satisfiable(member);
  }
  return componentOrNull(fixed);
}

const NULLABLE = z.looseObject({
  allOf: z.tuple([
    z.strictObject({ $ref: z.string() }),
    z.looseObject({ type: z.array(z.string()).refine((types) => types.includes("null")) }),
  ]),
});

function componentOrNull(schema: object): object {
  const nullable = NULLABLE.safeParse(schema);
  if (!nullable.success) return schema;
  const [component, { type: _, ...annotations }] = nullable.data.allOf;
  return { anyOf: [component, { type: "null" }], ...annotations };
}

const rankOf = ({ method, path }: Contract): number => FIRST_ROUTES.indexOf(`${method} ${path}`);
const isFirst = (contract: Contract): boolean => rankOf(contract) !== -1;

function tagsOf(contracts: readonly Contract[]) {
  const tags = new Set(contracts.flatMap(({ tags }) => tags));
  const names = contracts.some(isFirst) ? [START_HERE, ...tags] : [...tags];
  return names.map((name) => {
    const description = TAG_DESCRIPTIONS[name];
    return description === undefined ? { name } : { name, description };
  });
}

function operationOf(contract: Contract) {
  const { params, query, body, response, alternative } = contract;
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
    responses: {
      [response.status]: successOf(response, contract),
      ...(alternative && { [alternative.status]: successOf(alternative, contract) }),
      ...problemsOf(contract),
    },
  };
}

const messageHeaders = z.object({
  "webhook-id": z
    .string()
    .openapi({ description: "The message's id. It is the same for every attempt." }),
  "webhook-timestamp": z
    .string()
    .openapi({ description: "The time of this attempt, in seconds since the Unix epoch." }),
  "webhook-signature": z.string().openapi({
    description:
      "The signature, as defined by Standard Webhooks. For 24 hours after a rotation there are two.",
  }),
});

/** Describes a webhook message. The schema of its data is the one that the message is built with. */
function messageOf(event: WebhookEvent) {
  const data = WEBHOOK_DATA[event];
  const schema = z.object({ type: z.literal(event), timestamp: z.string(), data });
  return {
    method: "post" as const,
    path: event,
    operationId: event.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase()),
    summary: data.description ?? event,
    tags: ["Webhooks"],
    security: [],
    request: {
      headers: messageHeaders,
      body: { required: true, content: { "application/json": { schema } } },
    },
    responses: {
      "2XX": {
        description:
          "Your endpoint accepted the message. After any other response the delivery is retried, or fails for good.",
      },
    },
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

const RESPONSE_HEADERS = {
  ETag: "The current state of the resource, for `If-Match` and `If-None-Match`.",
  Location: "The path of the new resource.",
  "X-Unified-Sort-Truncated": "`true` if more tasks matched than were sorted.",
  "Content-Disposition": "`attachment`, with the file name.",
  "Content-Range": "The range of bytes in this response, and the total size.",
} as const;

function successOf(
  { status, schema, description, headers = [], mediaType }: ResponseContract<z.ZodType>,
  { idempotency }: Contract,
) {
  const documented: Record<string, z.ZodType> = {};
  for (const name of headers) {
    documented[name] = z.string().openapi({ description: RESPONSE_HEADERS[name] });
  }
  if (idempotency !== "none") {
    const replayed = "`true` if this is the response of an earlier request with the same key.";
    documented["Idempotency-Replayed"] = z.string().optional().openapi({ description: replayed });
  }
  return {
    description,
    ...(Object.keys(documented).length > 0 && { headers: z.object(documented) }),
    ...(status !== 204 && { content: { [mediaType ?? "application/json"]: { schema } } }),
  };
}

const issue = z
  .object({
    path: z.array(z.union([z.string(), z.number()])),
    code: z.string(),
    message: z.string(),
  })
  .openapi("Issue");

/** Loose, because each code adds members of its own, which the catalog lists. */
const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().openapi({ description: "The request id." }),
    error: z.enum(ERROR_CODES).openapi("ErrorCode"),
    retry: z.enum(RETRIES).openapi({
      description:
        "`same`: the same request can succeed later. `reload`: fetch the current state and decide again. `never`: this request cannot succeed.",
    }),
    issues: z.array(issue).optional(),
    next: z
      .array(lawfulCall)
      .optional()
      .openapi({ description: "The calls that the task's current state allows." }),
  })
  .openapi("Problem");

/** One response for each status code, which describes the error codes that share it. */
function problemsOf(contract: Contract) {
  const byStatus = Map.groupBy(errorsOf(contract), (code) => PROBLEMS[code].status);
  const ascending = [...byStatus].toSorted(([one], [other]) => one - other);
  return Object.fromEntries(
    ascending.map(([status, codes]) => [
      status,
      { description: describe(codes), content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } } },
    ]),
  );
}

function describe(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `\`${code}\`: ${PROBLEMS[code].detail}`).join("\n\n");
}
