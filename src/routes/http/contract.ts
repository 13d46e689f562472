import * as z from "zod";
import "./zod-openapi.ts";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Role } from "../../domain/actor.ts";
import type { ErrorCode } from "./problem.ts";
import { pathParameters } from "./paths.ts";

const MEBIBYTE = 1024 * 1024;
/** The maximum size of a request body, in bytes. */
export const BODY_BYTES_MAX = {
  standard: MEBIBYTE,
  large: 4 * MEBIBYTE,
  content: 100 * MEBIBYTE,
} as const;

const nothing = z.strictObject({});
/** The schema of params or a query that a contract does not have. It rejects unknown query parameters. */
export type Nothing = typeof nothing;

/** A raw request body with the metadata in its headers. */
export interface RawBody {
  stream: ReadableStream<Uint8Array>;
  /** In bytes. Null if the client did not send `Content-Length`. */
  length: number | null;
  contentType: string | null;
  /** Whether the stream failed because the client sent too slowly. */
  hasTimedOut: () => boolean;
}

/** The body schema of a contract with a raw body. The handler passes the stream on, and the reader enforces `bodyMax`. */
export const rawBody = z.custom<RawBody>();

export type SuccessStatus = Extract<ContentfulStatusCode, 200 | 201 | 202 | 206> | 204;

export interface ResponseContract<Schema extends z.ZodType> {
  status: SuccessStatus;
  description: string;
  schema: Schema;
  /** The headers of this response, in addition to those of every response. */
  headers?: readonly AnswerHeader[];
  /** The media type, if it is not JSON. The schema must be `byteStream`, and the body is streamed. */
  mediaType?: string;
}

export type AnswerHeader =
  | "ETag"
  | "Location"
  | "X-Unified-Sort-Truncated"
  | "Content-Disposition"
  | "Content-Range"
  | "Accept-Ranges"
  | "Retry-After";

/** The static description of a route. The documentation, the role matrix, and test tables are generated from it. */
export interface Contract<
  Access extends Role | "public" = Role | "public",
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
  Alternative extends z.ZodType = z.ZodType,
> {
  operationId: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The full path in OpenAPI syntax: `/v1/tasks/{taskId}`. */
  path: string;
  summary: string;
  description?: string | undefined;
  tags: readonly [string, ...string[]];
  /** The minimum role of the caller, or `public` if no credential is required. */
  role: Access;
  /** Whether the service role may also call it. */
  service: boolean;
  params: Params;
  query: Query;
  /** Null if no body is read. */
  body: Body | null;
  /** A body that succeeds as it is. It names no ids, only the tasks `gsm8k-0041` and `gsm8k-0042`. */
  example?: unknown;
  bodyMax: keyof typeof BODY_BYTES_MAX;
  response: ResponseContract<Response>;
  /** A second success response with its own status and schema. */
  alternative?: ResponseContract<Alternative> | undefined;
  /** Whether the route works only in demo tenants: others get `not_a_demo` before anything is read. */
  demoOnly: boolean;
  /** The route's own errors. `errorsOf` adds those that follow from the rest of the contract. */
  errors: readonly ErrorCode[];
  idempotency: "none" | "optional" | "required";
  /** Whether `If-Match` makes the call conditional. */
  concurrency: boolean;
}

type ContractInput<
  Access extends Role | "public",
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Response extends z.ZodType,
  Alternative extends z.ZodType,
> = Omit<
  Contract<Access, Params, Query, Body, Response, Alternative>,
  | "path"
  | "service"
  | "demoOnly"
  | "params"
  | "query"
  | "body"
  | "example"
  | "bodyMax"
  | "idempotency"
  | "concurrency"
  | "errors"
> & {
  /** Relative to `/v1`, unless `root` is set. */
  path: `/${string}`;
  root?: true;
  /** Defaults to true for GET and to false otherwise. */
  service?: boolean;
  /** Defaults to false. */
  demoOnly?: boolean;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Of a raw body, its text. */
  example?: z.input<Body> extends RawBody ? string : z.input<Body>;
  bodyMax?: keyof typeof BODY_BYTES_MAX;
  errors?: readonly ErrorCode[];
  idempotency?: "none" | "optional" | "required";
  concurrency?: boolean;
};

/**
 * Returns a contract with its defaults filled in.
 * @throws if the path and the params schema have different parameters.
 */
export function defineContract<
  const Access extends Role | "public",
  Response extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
  Alternative extends z.ZodType = z.ZodNever,
>(
  input: ContractInput<Access, Params, Query, Body, Response, Alternative>,
): Contract<Access, Params, Query, Body, Response, Alternative> {
  const { root, ...rest } = input;
  const contract = {
    ...rest,
    path: root === true ? input.path : `/v1${input.path}`,
    service: input.service ?? input.method === "GET",
    demoOnly: input.demoOnly ?? false,
    // Without a schema, the type parameter has its default, Nothing. The compiler cannot infer this.
    params: input.params ?? (nothing as Params),
    query: input.query ?? (nothing as Query),
    body: input.body ?? null,
    bodyMax: input.bodyMax ?? "standard",
    errors: input.errors ?? [],
    idempotency: input.idempotency ?? "none",
    concurrency: input.concurrency ?? false,
  };
  const named = pathParameters(contract.path).join();
  if (named !== Object.keys(contract.params.shape).join()) {
    throw new Error(`${contract.operationId}: path and params have different parameters`);
  }
  return contract;
}

/** Returns every error that a route can return: its own, and those that follow from its contract. */
export function errorsOf(contract: Contract): ErrorCode[] {
  const implied: ErrorCode[] = ["validation_failed", "internal", "unavailable"];
  if (contract.role !== "public") implied.push("unauthenticated", "forbidden", "rate_limited");
  // Cloudflare Access recognizes browsers by a cookie, which another site could make them send.
  if (contract.role !== "public" && contract.method !== "GET") implied.push("csrf_rejected");
  if (contract.demoOnly) implied.push("not_a_demo");
  if (contract.body !== null) {
    implied.push("request_timeout", "payload_too_large", "unsupported_media_type");
  }
  if (contract.body !== null && contract.body !== rawBody) {
    implied.push("malformed_json", "json_too_deep", "duplicate_key", "too_many_items");
  }
  if (contract.idempotency !== "none") {
    implied.push("idempotency_key_reused", "operation_in_progress");
  }
  if (contract.idempotency === "required") implied.push("idempotency_key_required");
  if (contract.concurrency) implied.push("version_conflict");
  return [...new Set([...implied, ...contract.errors])];
}
