import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const problem = z.looseObject({
  error: z.string(),
  detail: z.string().optional(),
  retry: z.enum(["same", "reload", "never"]).optional(),
  instance: z.string().optional(),
  existing: z.object({ id: z.string() }).optional(),
  issues: z
    .array(
      z.object({
        path: z.array(z.union([z.string(), z.number()])),
        code: z.string(),
        message: z.string(),
      }),
    )
    .optional(),
});

/** An error response from the service. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: NonNullable<z.output<typeof problem>["issues"]>;
  /** For a `conflict`: the id of the existing object. */
  readonly existingId: string | null;

  constructor(status: number, body: z.output<typeof problem>) {
    const { error, detail, instance, existing, issues = [] } = body;
    const request = instance === undefined ? "" : ` (request ${instance})`;
    super(`${error}: ${detail ?? `HTTP ${status}`}${request}`);
    this.status = status;
    this.code = error;
    this.issues = issues;
    this.existingId = existing?.id ?? null;
  }
}

/** No response, or one that is not the service's. */
export class ConnectionError extends Error {}

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** The path after `/v1`, with the query string. */
  path: string;
  /** Sent as JSON. A string is sent unchanged, because it already is JSON. */
  body?: unknown;
  /** Raw content to send instead of a body. */
  content?: { type: string; bytes: Uint8Array };
  /** The maximum number of attempts. */
  attemptsMax?: number;
}

export interface ApiClient {
  readonly baseUrl: string;
  /** Makes a call and returns the parsed response. */
  call: <Schema extends z.ZodType>(
    request: ApiRequest,
    schema: Schema,
  ) => Promise<z.output<Schema>>;
}

/** Sends a request; has the signature of `fetch`. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

interface ClientOptions {
  baseUrl: string;
  key: string;
  /** Called before the client waits to retry a call. */
  onRetry?: ((notice: { reason: string; seconds: number }) => void) | undefined;
  fetch?: Send;
  wait?: (milliseconds: number) => Promise<unknown>;
}

const ATTEMPTS_MAX = 8;
const TIMEOUT_MILLISECONDS = 60_000;
const WAIT_MILLISECONDS_MAX = 5_000;
const RETRY_AFTER_SECONDS_MAX = 120;

/**
 * Returns a client for the public API. A call whose outcome is unknown is retried with the same Idempotency-Key, so it
 * takes effect once.
 */
export function createApiClient(options: ClientOptions): ApiClient {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const { key, onRetry, fetch: send = fetch, wait = sleep } = options;

  const attempt = async (request: ApiRequest, idempotencyKey: string): Promise<Attempt> => {
    const { method, path } = request;
    const content = contentOf(request);
    let response: Response;
    let text: string;
    try {
      response = await send(`${baseUrl}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...((method === "POST" || method === "PATCH") && { "idempotency-key": idempotencyKey }),
          ...(content !== null && { "content-type": content.type }),
        },
        ...(content !== null && { body: content.bytes }),
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      text = await response.text();
    } catch (error) {
      return { retry: { reason: reasonOf(error), afterSeconds: null } };
    }
    const json = parseJson(text);
    if (response.ok && json !== undefined) return { value: json };
    const afterSeconds = retryAfter(response.headers);
    const known = problem.safeParse(json);
    if (known.success) {
      const error = new ApiProblem(response.status, known.data);
      if (known.data.retry !== "same") throw error;
      return { retry: { reason: error.code, afterSeconds }, error };
    }
    const reason = `${baseUrl} answered ${response.status}, but not in the service's format`;
    if (response.status < 500) throw new ConnectionError(`${reason}. Is the URL correct?`);
    return { retry: { reason, afterSeconds } };
  };

  return {
    baseUrl,
    async call(request, schema) {
      const idempotencyKey = randomUUID();
      for (let attempts = 1; ; attempts += 1) {
        const { value, retry, error } = await attempt(request, idempotencyKey);
        if (retry === undefined) {
          const parsed = schema.safeParse(value);
          if (parsed.success) return parsed.data;
          throw new ConnectionError(
            `Unexpected response to ${request.method} ${request.path}: ${z.prettifyError(parsed.error)}`,
          );
        }
        if (attempts >= (request.attemptsMax ?? ATTEMPTS_MAX)) {
          throw error ?? new ConnectionError(`Cannot reach ${baseUrl}: ${retry.reason}`);
        }
        const milliseconds = delayOf(attempts, retry.afterSeconds);
        onRetry?.({ reason: retry.reason, seconds: Math.ceil(milliseconds / 1000) });
        await wait(milliseconds);
      }
    },
  };
}

/** Returns the bytes to send and their content type, or null if there is nothing to send. */
function contentOf({ body, content }: ApiRequest) {
  if (content !== undefined) return content;
  if (body === undefined) return null;
  const bytes = typeof body === "string" ? body : JSON.stringify(body);
  return { type: "application/json", bytes };
}

type Attempt =
  | { value: unknown; retry?: never; error?: never }
  | {
      value?: never;
      retry: { reason: string; afterSeconds: number | null };
      error?: ApiProblem;
    };

/** Returns milliseconds: the service's `Retry-After` up to a limit, or else exponential backoff with jitter. */
function delayOf(attempts: number, afterSeconds: number | null): number {
  if (afterSeconds !== null) return Math.min(afterSeconds, RETRY_AFTER_SECONDS_MAX) * 1000;
  const longest = Math.min(250 * 2 ** attempts, WAIT_MILLISECONDS_MAX);
  return longest * (0.5 + Math.random() / 2);
}

/** Returns `Retry-After` in seconds. An HTTP date, which the service never sends, is ignored. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get("retry-after");
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the message of the underlying error; that of `fetch` itself is only "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
