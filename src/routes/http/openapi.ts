import { OpenAPIRegistry, OpenApiGeneratorV31 } from "@asteasolutions/zod-to-openapi";
import * as z from "zod";
import { WEBHOOK_DATA } from "../../domain/webhooks/data.ts";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../../domain/webhooks/events.ts";
import { type Contract, errorsOf, rawBody, type ResponseContract } from "./contract.ts";
import { EVENT_STREAM } from "./streamed.ts";
import { ERROR_CODES, type ErrorCode, PROBLEM_MEDIA_TYPE, PROBLEMS, RETRIES } from "./problem.ts";

const START_HERE = "Start here";

/** The routes that most people need, in the order in which they meet them. */
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

const DESCRIPTION = `Stepledger keeps where every task stands, how it came there and who decided.

Send an API key or a token as \`Authorization: Bearer\`. Every answer bears \`X-Request-Id\`, which is stored on
every event that the request wrote, and \`Server-Timing\` with the round trips to the database. Errors are
\`application/problem+json\`: branch on \`error\`, and let \`retry\` tell whether another try can help. Send an
\`Idempotency-Key\` with what you write, and repeat it without fear.`;

/** The OpenAPI 3.1 document, made from the very schemas that validate. The same contracts give the same text. */
export function openApiDocument(contracts: readonly Contract[]): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key (`slg_…`) or a JWT from the configured issuer.",
  });
  const first = contracts.filter(isFirst).toSorted((one, other) => placeOf(one) - placeOf(other));
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
  return Object.fromEntries(
    Object.entries(document).map(([name, value]: [string, unknown]) => [name, satisfiable(value)]),
  );
}

/**
 * What the document's maker writes so that nothing could match it, put right: a component or null comes out as the
 * component and at once a string or null, and a pattern with its flag in the text.
 */
function satisfiable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(satisfiable);
  if (typeof value !== "object" || value === null) return value;
  const mended: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const isFlagged = name === "pattern" && typeof member === "string";
    mended[name] = isFlagged ? member.replace(/\/u$/, "") : satisfiable(member);
  }
  return orNull(mended);
}

const NULLABLE = z.looseObject({
  allOf: z.tuple([
    z.strictObject({ $ref: z.string() }),
    z.looseObject({ type: z.array(z.string()).refine((types) => types.includes("null")) }),
  ]),
});

function orNull(schema: object): object {
  const nullable = NULLABLE.safeParse(schema);
  if (!nullable.success) return schema;
  const [component, { type: _, ...told }] = nullable.data.allOf;
  return { anyOf: [component, { type: "null" }], ...told };
}

const placeOf = ({ method, path }: Contract): number => FIRST_ROUTES.indexOf(`${method} ${path}`);
const isFirst = (contract: Contract): boolean => placeOf(contract) !== -1;

function tagsOf(contracts: readonly Contract[]) {
  const tags = new Set(contracts.flatMap(({ tags }) => tags));
  const rest = [...tags].map((name) => ({ name }));
  if (!contracts.some(isFirst)) return rest;
  return [{ name: START_HERE, description: "The routes that most people need." }, ...rest];
}

function operationOf(contract: Contract) {
  const { params, query, body, response, alternative } = contract;
  const headers = headersTaken(contract);
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
      ...(body === null ? {} : { body: bodyOf(body) }),
    },
    responses: {
      [response.status]: successOf(response, contract),
      ...(alternative && { [alternative.status]: successOf(alternative, contract) }),
      ...problemsOf(contract),
    },
  };
}

const messageHeaders = z.object({
  "webhook-id": z.string().openapi({ description: "The same at every try of a message." }),
  "webhook-timestamp": z.string().openapi({ description: "When this try was made." }),
  "webhook-signature": z
    .string()
    .openapi({ description: "As Standard Webhooks has it; two of them after a rotation." }),
});

/** A message to a system that listens: its data's schema is the one that it is made by. */
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
        description: "The message was taken; anything else, and it comes again or is dead.",
      },
    },
  };
}

const isEmpty = (schema: z.ZodObject): boolean => Object.keys(schema.shape).length === 0;

function roleSentence({ role, service }: Contract): string {
  if (role === "public") return "Needs no credential.";
  if (role === "service") return "Role: `service`.";
  const above = role === "admin" ? "" : " or above";
  return `Role: \`${role}\`${above}${service ? ", or `service`" : ""}.`;
}

const requestId = z.string().openapi({
  description:
    "1 to 128 letters, digits, dots, colons, dashes or underscores; otherwise one is made.",
});
const idempotencyKey = z.string().min(1).max(255).openapi({
  description:
    "Under this key a repeat gets the first answer and nothing is done twice, for 24 hours.",
});
const ifMatch = z.string().openapi({
  description: "The task's `ETag`: the call is done only while the task is in that state.",
  example: '"7"',
});
const ifNoneMatch = z.string().openapi({ description: "An `ETag`: 304 while it still holds." });
const range = z.string().openapi({
  description:
    "One range of bytes: that part is answered with 206, one that begins beyond the end with 416. Anything else gets the whole.",
  example: "bytes=0-1023",
});
const lastEventId = z.string().openapi({
  description: "The `id` of the last event that was read; browsers send it by themselves.",
});

function headersTaken(contract: Contract): z.ZodObject {
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

function bodyOf(schema: z.ZodType) {
  if (schema === rawBody) {
    return { required: true, content: { "*/*": { schema: byteString } } };
  }
  const required = !schema.safeParse({}).success;
  return { required, content: { "application/json": { schema } } };
}

/** Bytes of any kind; a media type beside it says which. */
const byteString = z.string().openapi({ format: "binary" });

const HEADERS_TOLD = {
  ETag: "The state of what is told, for `If-Match` and `If-None-Match`.",
  Location: "Where the new thing is.",
  "X-Unified-Sort-Truncated": "`true` where more matched than were sorted.",
  "Content-Disposition": "An attachment, with its file name.",
  "Content-Range": "Which bytes of how many these are.",
} as const;

function successOf(
  { status, schema, description, headers = [], mediaType }: ResponseContract<z.ZodType>,
  { idempotency }: Contract,
) {
  const told: Record<string, z.ZodType> = {};
  for (const name of headers) told[name] = z.string().openapi({ description: HEADERS_TOLD[name] });
  if (idempotency !== "none") {
    const replayed = "`true` where an earlier call with the same key did it.";
    told["Idempotency-Replayed"] = z.string().optional().openapi({ description: replayed });
  }
  return {
    description,
    ...(Object.keys(told).length > 0 && { headers: z.object(told) }),
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

const lawfulCall = z
  .object({
    method: z.enum(["PATCH", "POST"]),
    path: z.string(),
    body: z.record(z.string(), z.unknown()),
    needs: z
      .array(z.string())
      .optional()
      .openapi({ description: "Members of the body that only the caller can fill in." }),
  })
  .openapi("LawfulCall");

/** Loose: each code promises members of its own, which the catalogue lists. */
const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().openapi({ description: "The request id." }),
    error: z.enum(ERROR_CODES).openapi("ErrorCode"),
    retry: z.enum(RETRIES).openapi({
      description: "`same`: send it again; `reload`: look again and decide anew; `never`.",
    }),
    issues: z.array(issue).optional(),
    next: z
      .array(lawfulCall)
      .optional()
      .openapi({ description: "The calls that would be lawful now." }),
  })
  .openapi("Problem");

/** One answer for each status, naming the codes that come with it. */
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
