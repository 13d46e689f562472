import { z } from "zod";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
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

/** The headers that a call of the client names as members; it makes the others by itself. */
const HEADER_MEMBERS: Readonly<Record<string, string>> = {
  "Idempotency-Key": "idempotencyKey?: string | undefined",
  "If-Match": "ifMatch?: number | undefined",
  "X-Request-Id": "requestId?: string | undefined",
};

const JSON_MEDIA_TYPE = "application/json";

/** client/operations.ts: every shape and every operation of docs/openapi.json, as TypeScript. */
export function generateClientOperations(): string {
  const read = openApi.safeParse(openApiDocument(routes.map(({ contract }) => contract)));
  if (!read.success) throw new Error(z.prettifyError(read.error));
  const document = read.data;
  const shapes = Object.entries(document.components.schemas);
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => ({ path, method, told })),
  );
  return [
    "// Made from the service's contracts by `npm run generate`. Do not edit.\n",
    ...shapes.map(([name, told]) => shape(name, told)),
    "/** What each operation takes and answers. */\nexport interface Operations {\n" +
      `${calls.map(({ told }) => signature(told)).join("")}}\n`,
    "/** How each operation is called. */\nexport const OPERATIONS = {\n" +
      `${calls.map(call).join("")}} as const satisfies Record<keyof Operations, object>;\n`,
  ].join("\n");
}

function shape(name: string, told: Schema): string {
  return `${comment(told.description, "")}export type ${name} = ${typeOf(told, "")};\n`;
}

function signature(told: Operation): string {
  const { operationId, summary, description } = told;
  const words = description === undefined ? `${summary}.` : `${summary}. ${description}`;
  const input = [
    placeMember("params", "path", told),
    placeMember("query", "query", told),
    bodyMember(told),
    ...headersOf(told).flatMap((name) => HEADER_MEMBERS[name] ?? []),
  ].filter((line) => line !== null);
  const members = input.map((line) => `      ${line};\n`).join("");
  return `${comment(words, "  ")}  ${operationId}: {
    input: ${members === "" ? "object" : `{\n${members}    }`};
    answer: ${answerOf(told)};
  };
`;
}

/** The parameters that stand in the path or in the query, as one member of the input. */
function placeMember(name: string, place: "path" | "query", { parameters }: Operation) {
  const taken = parameters.filter((parameter) => parameter.in === place);
  if (taken.length === 0) return null;
  const lines = taken.map(({ name, required, schema }) =>
    member({ name, isRequired: required, told: schema, indent: "        " }),
  );
  const isRequired = taken.some(({ required }) => required);
  return `${name}${optional(isRequired, `{\n${lines.join("")}      }`)}`;
}

/** A body that is not JSON is handed over as it is, with its media type. */
function bodyMember({ requestBody }: Operation): string | null {
  if (requestBody === undefined) return null;
  const json = requestBody.content[JSON_MEDIA_TYPE];
  if (json === undefined) return "body: Blob | Uint8Array<ArrayBuffer>";
  return `body${optional(requestBody.required, typeOf(json.schema, "      "))}`;
}

const headersOf = ({ parameters }: Operation): string[] =>
  parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name);

/** Anything but JSON is given back as the response that it is, to be streamed. */
function answerOf({ responses }: Operation): string {
  const successes = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  const types = successes.map(([, { content }]) => {
    if (content === undefined) return "undefined";
    const json = content[JSON_MEDIA_TYPE];
    return json === undefined ? "Response" : typeOf(json.schema, "    ");
  });
  return [...new Set(types)].join(" | ");
}

/** What the client must know of an operation when it runs. */
function call(given: { path: string; method: string; told: Operation }): string {
  const { path, method, told } = given;
  const isUpload =
    told.requestBody !== undefined && told.requestBody.content[JSON_MEDIA_TYPE] === undefined;
  const facts = [
    `method: ${JSON.stringify(method.toUpperCase())}`,
    `path: ${JSON.stringify(path)}`,
    `takesKey: ${headersOf(told).includes("Idempotency-Key")}`,
    `sends: ${isUpload ? '"bytes"' : '"json"'}`,
    `answers: ${answerOf(told) === "Response" ? '"bytes"' : '"json"'}`,
  ];
  return `  ${told.operationId}: { ${facts.join(", ")} },\n`;
}
