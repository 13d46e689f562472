import * as z from "zod";
import "./openapi-metadata.ts";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Role } from "../../domain/actor.ts";
import type { ErrorCode } from "./problem.ts";
import { pathParameters } from "./paths.ts";

const MEBIBYTE = 1024 * 1024;
/** The longest body of a route, in bytes. */
export const BODY_BYTES_MAX = {
  standard: MEBIBYTE,
  large: 4 * MEBIBYTE,
  content: 100 * MEBIBYTE,
} as const;

const nothing = z.strictObject({});
/** Stands where a contract takes no such input: an unknown query parameter is refused, a body is not read. */
export type Nothing = typeof nothing;

/** A raw request body, and what its headers say of it. */
export interface RawBody {
  stream: ReadableStream<Uint8Array>;
  /** In bytes; null where the client does not say. */
  length: number | null;
  contentType: string | null;
}

/** Stands for a raw body in a contract: it is handed on unread, and whoever takes it keeps to `bodyMax`. */
export const rawBody = z.custom<RawBody>();

export type SuccessStatus = Extract<ContentfulStatusCode, 200 | 201 | 202 | 206> | 204;

export interface ResponseContract<Schema extends z.ZodType> {
  status: SuccessStatus;
  description: string;
  schema: Schema;
  /** The headers that this answer bears beside those of every answer. */
  headers?: readonly AnswerHeader[];
  /** What the body is, where it is not JSON: then the schema is `byteStream`, and the body is sent as it is made. */
  mediaType?: string;
}

export type AnswerHeader =
  | "ETag"
  | "Location"
  | "X-Unified-Sort-Truncated"
  | "Content-Disposition"
  | "Content-Range";

/** All that is known of a route before it runs; documents, the role matrix and test tables are made from it. */
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
  /** As OpenAPI writes it, whole: `/v1/tasks/{taskId}`. */
  path: string;
  summary: string;
  description?: string | undefined;
  tags: readonly [string, ...string[]];
  /** The least role that may call, or `public`, which needs no credential. */
  role: Access;
  /** Whether the service role may call too. */
  service: boolean;
  params: Params;
  query: Query;
  /** null where no body is read. */
  body: Body | null;
  bodyMax: keyof typeof BODY_BYTES_MAX;
  response: ResponseContract<Response>;
  /** Another success, with its own status and shape. */
  alternative?: ResponseContract<Alternative> | undefined;
  /** The errors of this route alone; `errorsOf` adds those that follow from the rest of the contract. */
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
  | "params"
  | "query"
  | "body"
  | "bodyMax"
  | "idempotency"
  | "concurrency"
  | "errors"
> & {
  /** Below `/v1`, unless `root` is set. */
  path: `/${string}`;
  root?: true;
  /** By default every GET is open to the service role, and nothing else is. */
  service?: boolean;
  params?: Params;
  query?: Query;
  body?: Body;
  bodyMax?: keyof typeof BODY_BYTES_MAX;
  errors?: readonly ErrorCode[];
  idempotency?: "none" | "optional" | "required";
  concurrency?: boolean;
};

/**
 * Writes a route's contract, with what it leaves out filled in.
 * @throws when the path and the params schema name different parameters.
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
  const { root, ...given } = input;
  const contract = {
    ...given,
    path: root === true ? input.path : `/v1${input.path}`,
    service: input.service ?? input.method === "GET",
    // Without a schema the type parameter is Nothing: the inference of the defaults says so, not the compiler.
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
    throw new Error(`${contract.operationId}: path and params name different parameters`);
  }
  return contract;
}

/** Every error that a route can answer with: its own, and those that follow from its contract. */
export function errorsOf(contract: Contract): ErrorCode[] {
  const implied: ErrorCode[] = ["validation_failed", "internal", "unavailable"];
  if (contract.role !== "public") implied.push("unauthenticated", "forbidden", "rate_limited");
  if (contract.body !== null) implied.push("payload_too_large", "unsupported_media_type");
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
