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

/** The service understood, and said no. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: NonNullable<z.output<typeof problem>["issues"]>;
  /** What stands in the way, where it is something that exists. */
  readonly existingId: string | null;

  constructor(status: number, told: z.output<typeof problem>) {
    const { error, detail, instance, existing, issues = [] } = told;
    const where = instance === undefined ? "" : ` (request ${instance})`;
    super(`${error}: ${detail ?? `HTTP ${status}`}${where}`);
    this.status = status;
    this.code = error;
    this.issues = issues;
    this.existingId = existing?.id ?? null;
  }
}

/** Nobody answered, or not as the service would. */
export class ConnectionFault extends Error {}

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH" | "PUT";
  /** Below `/v1`, with its query. */
  path: string;
  /** Sent as JSON; a string is JSON already. */
  body?: unknown;
  /** Sent as it is, in place of a body. */
  content?: { type: string; bytes: Uint8Array };
  /** How often it is tried at the most. */
  attemptsMax?: number;
}

export interface ApiClient {
  readonly baseUrl: string;
  /** Makes a call and parses its answer. */
  call: <Schema extends z.ZodType>(
    request: ApiRequest,
    schema: Schema,
  ) => Promise<z.output<Schema>>;
}

/** How a request leaves: as fetch does it. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

interface ClientOptions {
  baseUrl: string;
  key: string;
  /** Is told why a call is tried again, and after what time. */
  onRetry?: ((notice: { reason: string; seconds: number }) => void) | undefined;
  fetch?: Send;
  wait?: (milliseconds: number) => Promise<unknown>;
}

const ATTEMPTS_MAX = 8;
const TIMEOUT_MILLISECONDS = 60_000;
const WAIT_MILLISECONDS_MAX = 5_000;
const RETRY_AFTER_SECONDS_MAX = 120;

/**
 * Speaks with the service over its public API. A call whose outcome is not known is repeated with the same
 * Idempotency-Key, so that it takes effect once.
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
      const fault = new ApiProblem(response.status, known.data);
      if (known.data.retry !== "same") throw fault;
      return { retry: { reason: fault.code, afterSeconds }, fault };
    }
    const reason = `${baseUrl} answered ${response.status}, but not as the service does`;
    if (response.status < 500) throw new ConnectionFault(`${reason}: is the address right?`);
    return { retry: { reason, afterSeconds } };
  };

  return {
    baseUrl,
    async call(request, schema) {
      const idempotencyKey = randomUUID();
      for (let made = 1; ; made += 1) {
        const { value, retry, fault } = await attempt(request, idempotencyKey);
        if (retry === undefined) {
          const parsed = schema.safeParse(value);
          if (parsed.success) return parsed.data;
          throw new ConnectionFault(
            `${request.method} ${request.path} answered what this version does not understand: ${z.prettifyError(parsed.error)}`,
          );
        }
        if (made >= (request.attemptsMax ?? ATTEMPTS_MAX)) {
          throw fault ?? new ConnectionFault(`${baseUrl} cannot be reached: ${retry.reason}`);
        }
        const milliseconds = waitFor(made, retry.afterSeconds);
        onRetry?.({ reason: retry.reason, seconds: Math.ceil(milliseconds / 1000) });
        await wait(milliseconds);
      }
    },
  };
}

/** What a request carries, and as what. */
function contentOf({ body, content }: ApiRequest) {
  if (content !== undefined) return content;
  if (body === undefined) return null;
  const bytes = typeof body === "string" ? body : JSON.stringify(body);
  return { type: "application/json", bytes };
}

type Attempt =
  | { value: unknown; retry?: never; fault?: never }
  | {
      value?: never;
      retry: { reason: string; afterSeconds: number | null };
      fault?: ApiProblem;
    };

/** What the service asks for; or longer each time, and never the same for all who wait. */
function waitFor(made: number, afterSeconds: number | null): number {
  if (afterSeconds !== null) return Math.min(afterSeconds, RETRY_AFTER_SECONDS_MAX) * 1000;
  const longest = Math.min(250 * 2 ** made, WAIT_MILLISECONDS_MAX);
  return longest * (0.5 + Math.random() / 2);
}

/** In seconds; a date, which the service never sends, counts as no word. */
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

/** Behind "fetch failed" stands what really happened. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
