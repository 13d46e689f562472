import * as z from "zod";
import "./zod-openapi.ts";
import { type AnswerHeader, type Contract, errorsOf, type ResponseContract } from "./contract.ts";
import { lawfulCall } from "./lawful-call-schema.ts";
import { ERROR_CODES, type ErrorCode, PROBLEM_MEDIA_TYPE, PROBLEMS, RETRIES } from "./problem.ts";

const seconds = z.int().min(0);

interface HeaderFacts {
  description: string;
  schema?: z.ZodType;
  /** Whether responses that declare the header can lack it. */
  isOptional?: true;
}

const RESPONSE_HEADERS: Readonly<Record<AnswerHeader, HeaderFacts>> = {
  ETag: { description: "The current state of the resource, for `If-Match` and `If-None-Match`." },
  Location: { description: "The path of the new resource." },
  "X-Unified-Sort-Truncated": {
    description: "`true` if more tasks matched than were sorted. Absent otherwise.",
    isOptional: true,
  },
  "Content-Disposition": { description: "`attachment`, with the file name." },
  "Content-Range": { description: "The range of bytes in this response, and the total size." },
  "Accept-Ranges": { description: "`bytes`: a `Range` can choose a part of the content." },
  "Retry-After": {
    description: "The number of seconds to wait before the next look. Absent if it has ended.",
    schema: seconds,
    isOptional: true,
  },
};

/** Returns the responses of a route by their status: its successes, 304 if it has an entity tag, and its problems. */
export function responsesOf(contract: Contract) {
  const { response, alternative, method } = contract;
  const isConditional = method === "GET" && response.headers?.includes("ETag") === true;
  return {
    [response.status]: successOf(response, contract),
    ...(alternative && { [alternative.status]: successOf(alternative, contract) }),
    ...(isConditional && {
      304: {
        description: "The resource has not changed since the response with this `ETag`.",
        headers: z.object(declared(response.headers)),
      },
    }),
    ...problemsOf(contract),
    405: { $ref: "#/components/responses/MethodNotAllowed" },
  };
}

function declared(names: readonly AnswerHeader[] = []): Record<string, z.ZodType> {
  return Object.fromEntries(
    names.map((name) => {
      const { description, schema = z.string(), isOptional } = RESPONSE_HEADERS[name];
      return [name, (isOptional ? schema.optional() : schema).openapi({ description })];
    }),
  );
}

function successOf(
  { status, schema, description, headers, mediaType }: ResponseContract<z.ZodType>,
  { idempotency }: Contract,
) {
  const documented = declared(headers);
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

/** The headers of problems, each with the codes that have it. */
const PROBLEM_HEADERS: readonly {
  name: string;
  codes: readonly ErrorCode[];
  schema: z.ZodType;
  description: string;
}[] = [
  {
    name: "Retry-After",
    codes: ERROR_CODES.filter((code) => PROBLEMS[code].retryAfterSeconds !== undefined),
    schema: seconds,
    description: "The number of seconds to wait before the same request is sent again.",
  },
  {
    name: "WWW-Authenticate",
    codes: ["unauthenticated"],
    schema: z.string(),
    description: "The challenge (RFC 6750).",
  },
  {
    name: "ETag",
    codes: ["version_conflict"],
    schema: z.string(),
    description: "The current state of the task.",
  },
  {
    name: "Content-Range",
    codes: ["range_not_satisfiable"],
    schema: z.string(),
    description: "The total size, as `bytes */` and a number.",
  },
];

/** One response for each status code, which describes the error codes that share it. */
function problemsOf(contract: Contract) {
  const byStatus = Map.groupBy(errorsOf(contract), (code) => PROBLEMS[code].status);
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problemOf(codes)]));
}

function problemOf(codes: readonly ErrorCode[]) {
  const headers = PROBLEM_HEADERS.flatMap(({ name, codes: owners, schema, description }) => {
    const count = codes.filter((code) => owners.includes(code)).length;
    if (count === 0) return [];
    const header = count === codes.length ? schema : schema.optional();
    return [[name, header.openapi({ description })]];
  });
  return {
    description: describe(codes),
    ...(headers.length > 0 && { headers: z.object(Object.fromEntries(headers)) }),
    content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } },
  };
}

/** The response of every path to the methods that it does not have. */
export const METHOD_NOT_ALLOWED = {
  description: describe(["method_not_allowed"]),
  headers: {
    Allow: {
      description: "The methods of this path, separated by commas.",
      required: true,
      schema: { type: "string" as const },
    },
  },
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
};

function describe(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `\`${code}\`: ${PROBLEMS[code].detail}`).join("\n\n");
}
