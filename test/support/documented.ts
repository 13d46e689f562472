import { expect } from "vitest";
import * as z from "zod";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import type { Contract } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { MESSAGES } from "../../src/routes/shapes/messages.ts";
import type { Answer } from "./api-calls.ts";

const routes = await loadRoutes();

const header = z.object({ required: z.boolean().default(false) });
const response = z.object({
  $ref: z.string().optional(),
  headers: z.record(z.string(), header).default({}),
  content: z.record(z.string(), z.object({ schema: z.unknown() })).default({}),
});
type Response = z.output<typeof response>;
const operation = z.object({ responses: z.record(z.string(), response) });
const message = z.object({
  parameters: z.array(z.object({ name: z.string(), schema: z.object({ example: z.string() }) })),
  requestBody: z.object({
    content: z.object({
      "application/json": z.object({ schema: z.unknown(), example: z.unknown() }),
    }),
  }),
});
const documented = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  webhooks: z.record(z.string(), z.object({ post: message })),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), response),
  }),
});
const contracts = routes.map(({ contract }) => contract);
const { paths, webhooks, components } = documented.parse(openApiDocument(contracts, MESSAGES));

/** The messages of the document, by their type. */
export const DOCUMENTED_MESSAGES = Object.entries(webhooks).map(([type, { post }]) => {
  const { schema, example } = post.requestBody.content["application/json"];
  const headers = post.parameters.map(({ name, schema }) => [name, schema.example]);
  return { type, schema, example, headers: Object.fromEntries(headers) as Record<string, string> };
});

/** The headers of every response, which the document describes in its introduction or does not mention. */
const COMMON_HEADERS = [
  "cache-control",
  "content-length",
  "content-security-policy",
  "content-type",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "origin-agent-cluster",
  "referrer-policy",
  "server-timing",
  "strict-transport-security",
  "x-content-type-options",
  "x-dns-prefetch-control",
  "x-download-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
  "x-request-id",
  "x-xss-protection",
];

const JSON_MEDIA_TYPES = ["application/json", "application/problem+json"];

/**
 * Checks that the OpenAPI document describes an answer: its status, its headers, and its body. The service itself
 * compares bodies with zod's schemas, so this finds what the document says differently.
 */
export function expectDocumented({ method, path }: Contract, answer: Answer<unknown>): void {
  const declared = paths[path]?.[method.toLowerCase()]?.responses[answer.status];
  if (declared === undefined) expect.fail(`${method} ${path} declares no ${answer.status}`);
  const { headers, content } = resolved(declared);
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const required = Object.entries(headers).filter(([, { required }]) => required);
  const sent = [...answer.headers.keys()].filter((name) => !COMMON_HEADERS.includes(name));
  expect(names, `the headers of ${method} ${path}`).toEqual(expect.arrayContaining(sent));
  expect(sent).toEqual(expect.arrayContaining(required.map(([name]) => name.toLowerCase())));
  for (const [mediaType, { schema }] of Object.entries(content)) {
    if (!JSON_MEDIA_TYPES.includes(mediaType)) continue;
    const faults = faultsOf(schema, answer.body);
    expect(faults, `the body of ${method} ${path}, ${answer.status}`).toEqual([]);
  }
}

function resolved(declared: Response): Response {
  const { $ref } = declared;
  if ($ref === undefined) return declared;
  return components.responses[$ref.split("/").at(-1) ?? ""] ?? expect.fail(`No ${$ref}`);
}

/** Returns how a value differs from a schema of the document. */
export function faultsOf(schema: unknown, value: unknown): string[] {
  const { error } = compiled(schema).safeParse(value);
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}

const known = new Map<string, z.ZodType>();

function compiled(schema: unknown): z.ZodType {
  const key = JSON.stringify(schema);
  const found = known.get(key);
  if (found !== undefined) return found;
  const root: z.core.JSONSchema.JSONSchema = { ...plain(schema), $defs: DEFINITIONS };
  const made = z.fromJSONSchema(root);
  known.set(key, made);
  return made;
}

/** Rewrites a schema of the document as a plain JSON schema. Formats are left out: some of zod's are narrower. */
function plain(schema: unknown): Record<string, z.core.JSONSchema.JSONSchema> {
  const text = JSON.stringify(schema, (name, value: unknown) =>
    LEFT_OUT.includes(name) && typeof value !== "object" ? undefined : value,
  );
  // The document's own test checks that it consists of schemas.
  return JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")) as ReturnType<
    typeof plain
  >;
}

const LEFT_OUT = ["format", "default"];

const DEFINITIONS = plain(components.schemas);
