import { z } from "zod";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { MESSAGES } from "../../src/routes/shapes/messages.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { comment, member, optional, type Schema, schema, typeOf } from "./schema-types.ts";

const routes = await loadRoutes();

const content = z.record(z.string(), z.object({ schema }));

const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(["path", "query", "header"]),
        required: z.boolean(),
        description: z.string().optional(),
        schema,
      }),
    )
    .default([]),
  requestBody: z.object({ required: z.boolean().default(false), content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.optional() })),
});
type Operation = z.output<typeof operation>;

const openApi = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});

/** The headers that a caller of the client can set, as members of the input. The client sets all others itself. */
const HEADER_MEMBERS: Readonly<Record<string, string>> = {
  "Idempotency-Key": "idempotencyKey?: string | undefined",
  "If-Match": "ifMatch?: number | undefined",
  "X-Request-Id": "requestId?: string | undefined",
};

const JSON_MEDIA_TYPE = "application/json";

/** Generates client/operations.ts: every schema and operation of docs/openapi.json as TypeScript. */
export function generateClientOperations(): string {
  const contracts = routes.map(({ contract }) => contract);
  const read = openApi.safeParse(openApiDocument(contracts, MESSAGES));
  if (!read.success) throw new Error(z.prettifyError(read.error));
  const document = read.data;
  const shapes = Object.entries(document.components.schemas);
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return [
    "// Generated from the service's contracts by `npm run generate`. Do not edit.\n",
    ...shapes.map(([name, schema]) => shape(name, schema)),
    "/** The input and the answer of each operation. */\nexport interface Operations {\n" +
      `${calls.map(({ operation }) => signature(operation)).join("")}}\n`,
    "/** The HTTP request of each operation. */\nexport const OPERATIONS = {\n" +
      `${calls.map(call).join("")}} as const satisfies Record<keyof Operations, object>;\n`,
  ].join("\n");
}

function shape(name: string, schema: Schema): string {
  return `${comment(schema.description, "")}export type ${name} = ${typeOf(schema, "")};\n`;
}

function signature(operation: Operation): string {
  const { operationId, summary, description } = operation;
  const words = description === undefined ? `${summary}.` : `${summary}. ${description}`;
  const input = [
    placeMember("params", "path", operation),
    placeMember("query", "query", operation),
    bodyMember(operation),
    ...headersOf(operation).flatMap((name) => HEADER_MEMBERS[name] ?? []),
  ].filter((line) => line !== null);
  const members = input.map((line) => `      ${line};\n`).join("");
  return `${comment(words, "  ")}  ${operationId}: {
    input: ${members === "" ? "object" : `{\n${members}    }`};
    answer: ${answerOf(operation)};
  };
`;
}

/** Returns the member of the input that holds the parameters of the path or of the query. Null if there are none. */
function placeMember(name: string, place: "path" | "query", { parameters }: Operation) {
  const placed = parameters.filter((parameter) => parameter.in === place);
  if (placed.length === 0) return null;
  const lines = placed.map(({ name, required, schema }) =>
    member({ name, isRequired: required, schema, indent: "        " }),
  );
  const isRequired = placed.some(({ required }) => required);
  return `${name}${optional(isRequired, `{\n${lines.join("")}      }`)}`;
}

/** Returns the member of the input that holds the body. A body that is not JSON is sent unchanged. */
function bodyMember({ requestBody }: Operation): string | null {
  if (requestBody === undefined) return null;
  const json = requestBody.content[JSON_MEDIA_TYPE];
  if (json === undefined) return "body: Blob | Uint8Array<ArrayBuffer>";
  return `body${optional(requestBody.required, typeOf(json.schema, "      "))}`;
}

const headersOf = ({ parameters }: Operation): string[] =>
  parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name);

/** Returns the type of the answer. An answer that is not JSON is the `Response` itself, so that it can be streamed. */
function answerOf({ responses }: Operation): string {
  const successes = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  const types = successes.map(([, { content }]) => {
    if (content === undefined) return "undefined";
    const json = content[JSON_MEDIA_TYPE];
    return json === undefined ? "Response" : typeOf(json.schema, "    ");
  });
  return [...new Set(types)].join(" | ");
}

/** Returns the facts about an operation that the client needs at run time. */
function call(given: { path: string; method: string; operation: Operation }): string {
  const { path, method, operation } = given;
  const { requestBody } = operation;
  const isUpload = requestBody !== undefined && requestBody.content[JSON_MEDIA_TYPE] === undefined;
  const facts = [
    `method: ${JSON.stringify(method.toUpperCase())}`,
    `path: ${JSON.stringify(path)}`,
    `takesKey: ${headersOf(operation).includes("Idempotency-Key")}`,
    `sends: ${isUpload ? '"bytes"' : '"json"'}`,
    `answers: ${answerOf(operation) === "Response" ? '"bytes"' : '"json"'}`,
  ];
  return `  ${operation.operationId}: { ${facts.join(", ")} },\n`;
}
