import { OPERATIONS, type Operations } from "./operations.ts";
import {
  parseJson,
  readProblem,
  type StepledgerProblem,
  StepledgerUnreachable,
} from "./problem.ts";

export type OperationId = keyof Operations;

/** Options that every call takes in addition to its operation's input. */
export interface CallOptions {
  /** Aborts the call, including the wait between attempts. */
  signal?: AbortSignal | undefined;
  /** The time limit for one attempt of this call; overrides the client's. */
  timeoutSeconds?: number | undefined;
  /** Additional headers. The client's own headers take precedence. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** A client with one method for each operation of the service, named by its operation id. */
export type Stepledger = { readonly [Id in OperationId]: Call<Id> };

type Call<Id extends OperationId> = object extends Operations[Id]["input"]
  ? (input?: Operations[Id]["input"] & CallOptions) => Promise<Operations[Id]["answer"]>
  : (input: Operations[Id]["input"] & CallOptions) => Promise<Operations[Id]["answer"]>;

/** Sends a request; has the signature of `fetch`. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** Why a call will be retried, and after how many seconds. */
export interface RetryNotice {
  operationId: OperationId;
  reason: string;
  seconds: number;
}

export interface ConnectOptions {
  /** The URL of the service, without `/v1`. */
  baseUrl: string;
  /** An API key or a token. Without one, only public operations can be called. */
  key?: string | undefined;
  fetch?: Send | undefined;
  /** Called before the client waits to retry a call. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** The maximum number of attempts of a call. Default: 5. */
  attemptsMax?: number | undefined;
  /** The time limit for one attempt. Default: 60. It does not cover reading the body of a streamed response. */
  timeoutSeconds?: number | undefined;
  /** The longest `Retry-After` to wait for; after a longer one the call is not retried. Default: 60. */
  retryAfterSecondsMax?: number | undefined;
  wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<unknown>) | undefined;
}

/**
 * Returns a client of the service. The client retries a call that may succeed later, after the `Retry-After` that the
 * service asks for. All attempts of a write carry the same Idempotency-Key, so it takes effect once even if a response
 * is lost. Calls reject with a StepledgerProblem or a StepledgerUnreachable.
 * @throws TypeError if the key is malformed.
 */
export function connect(options: ConnectOptions): Stepledger {
  // `fetch` would reject the header too, but its error message would contain the key.
  if (options.key !== undefined && !/^[!-~]+$/.test(options.key)) {
    throw new TypeError("The key must be one word of printable ASCII characters");
  }
  const settings: Settings = {
    key: options.key,
    onRetry: options.onRetry,
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    attemptsMax: options.attemptsMax ?? 5,
    timeoutSeconds: options.timeoutSeconds ?? 60,
    retryAfterSecondsMax: options.retryAfterSecondsMax ?? 60,
    wait: options.wait ?? sleep,
  };
  const calls = Object.entries(OPERATIONS).map(([id, operation]) => [
    id,
    // The cast is safe: the table and the types are generated from the same contracts.
    (input: AnyInput = {}) => perform({ id: id as OperationId, operation, input, settings }),
  ]);
  return Object.fromEntries(calls) as Stepledger;
}

/** The options with their defaults filled in. */
type Settings = Pick<ConnectOptions, "baseUrl" | "key" | "onRetry"> & {
  [
    Name in "fetch" | "attemptsMax" | "timeoutSeconds" | "retryAfterSecondsMax" | "wait"
  ]: NonNullable<ConnectOptions[Name]>;
};

/** The part of an operation's input that the client itself uses. */
interface AnyInput extends CallOptions {
  params?: Readonly<Record<string, string | number>>;
  query?: Readonly<Record<string, QueryValue>> | undefined;
  body?: unknown;
  idempotencyKey?: string | undefined;
  ifMatch?: number | undefined;
  requestId?: string | undefined;
}
type QueryValue = string | number | boolean | readonly (string | number)[] | undefined;

interface Operation {
  method: string;
  path: string;
  takesKey: boolean;
  sends: "json" | "bytes";
  answers: "json" | "bytes";
}

interface Invocation {
  id: OperationId;
  operation: Operation;
  input: AnyInput;
  settings: Settings;
}

async function perform({ id, operation, input, settings }: Invocation): Promise<unknown> {
  const request = {
    url: urlOf(settings.baseUrl, operation.path, input),
    init: {
      method: operation.method,
      headers: headersOf(operation, input, settings.key),
      ...bodyOf(operation, input),
    },
    answers: operation.answers,
    signal: input.signal,
    timeoutSeconds: input.timeoutSeconds ?? settings.timeoutSeconds,
  };
  for (let attempts = 1; ; attempts += 1) {
    const result = await attemptOnce(request, settings.fetch);
    if (result.error === undefined) return result.value;
    const milliseconds = delayOf(attempts, result.afterSeconds);
    const isTooLong = (result.afterSeconds ?? 0) > settings.retryAfterSecondsMax;
    if (!result.isRetryable || isTooLong || attempts >= settings.attemptsMax) throw result.error;
    settings.onRetry?.({
      operationId: id,
      reason: result.error.message,
      seconds: Math.ceil(milliseconds / 1000),
    });
    await settings.wait(milliseconds, input.signal);
  }
}

type AttemptResult =
  | { value: unknown; error?: never }
  | {
      error: StepledgerProblem | StepledgerUnreachable;
      isRetryable: boolean;
      afterSeconds: number | null;
    };

interface PreparedRequest {
  url: string;
  init: RequestInit;
  answers: Operation["answers"];
  signal: AbortSignal | undefined;
  timeoutSeconds: number;
}

async function attemptOnce(request: PreparedRequest, send: Send): Promise<AttemptResult> {
  const { url, init, answers, signal, timeoutSeconds } = request;
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`No answer within ${timeoutSeconds} seconds`)),
    timeoutSeconds * 1000,
  );
  const both = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
  try {
    const response = await send(url, { ...init, signal: both });
    if (response.ok && answers === "bytes") return { value: response };
    return readAnswer(response, await response.text());
  } catch (error) {
    // A caller who aborted the call gets their own reason, not StepledgerUnreachable.
    signal?.throwIfAborted();
    const reason = `Cannot reach ${new URL(url).origin}: ${reasonOf(error)}`;
    const unreachable = new StepledgerUnreachable(reason, { cause: error });
    return { error: unreachable, isRetryable: true, afterSeconds: null };
  } finally {
    clearTimeout(timer);
  }
}

function readAnswer(response: Response, text: string): AttemptResult {
  const afterSeconds = retryAfter(response.headers);
  if (response.ok) {
    if (text === "") return { value: undefined };
    const value = parseJson(text);
    if (value !== undefined) return { value };
    // The response was probably cut off, so a retry can get all of it.
    const error = new StepledgerUnreachable(`The response from ${response.url} is not JSON`);
    return { error, isRetryable: true, afterSeconds };
  }
  const problem = readProblem(text);
  if (problem !== null) {
    return { error: problem, isRetryable: problem.retry === "same", afterSeconds };
  }
  const error = new StepledgerUnreachable(
    `${response.url} answered ${response.status}, but not in the service's format`,
  );
  const isTransient = response.status >= 500 || response.status === 429;
  return { error, isRetryable: isTransient, afterSeconds };
}

function urlOf(baseUrl: string, path: string, { params = {}, query = {} }: AnyInput): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? value : [value];
    for (const one of values) if (one !== undefined) search.append(name, String(one));
  }
  return `${baseUrl}${filled}${search.size === 0 ? "" : `?${search}`}`;
}

function headersOf(operation: Operation, input: AnyInput, key: string | undefined): Headers {
  const headers = new Headers(input.headers);
  if (key !== undefined) headers.set("Authorization", `Bearer ${key}`);
  if (operation.takesKey) {
    headers.set("Idempotency-Key", input.idempotencyKey ?? crypto.randomUUID());
  }
  if (input.ifMatch !== undefined) headers.set("If-Match", `"${input.ifMatch}"`);
  if (input.requestId !== undefined) headers.set("X-Request-Id", input.requestId);
  if (operation.sends === "json" && input.body !== undefined) {
    headers.set("Content-Type", "application/json");
  }
  return headers;
}

function bodyOf({ sends }: Operation, { body }: AnyInput): Pick<RequestInit, "body"> {
  if (body === undefined) return {};
  // The cast is safe: the generated types allow only these for an operation that takes bytes.
  return {
    body: sends === "json" ? JSON.stringify(body) : (body as Blob | Uint8Array<ArrayBuffer>),
  };
}

/** Returns milliseconds: the service's `Retry-After`, or else exponential backoff with jitter. */
function delayOf(attempts: number, afterSeconds: number | null): number {
  if (afterSeconds !== null) return afterSeconds * 1000;
  return Math.min(250 * 2 ** attempts, 5_000) * (0.5 + Math.random() / 2);
}

/** Returns `Retry-After` in seconds. An HTTP date, which the service never sends, is ignored. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get("Retry-After");
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

/** Returns the message of the underlying error; that of `fetch` itself is only "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve();
    }
    if (signal?.aborted === true) done();
  });
}
