import { OPERATIONS, type Operations } from "./operations.ts";
import {
  parseJson,
  readProblem,
  type StepledgerProblem,
  StepledgerUnreachable,
} from "./problem.ts";

export type OperationId = keyof Operations;

/** What any call takes beside its operation's own input. */
export interface CallOptions {
  /** Ends the call, and the waiting between its attempts. */
  signal?: AbortSignal | undefined;
  /** How long one attempt of this call may take, where the client's own limit does not fit. */
  timeoutSeconds?: number | undefined;
  /** Sent as they are, beside those that the client makes. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** Every operation of the service as a method, named by its operation id. */
export type Stepledger = { readonly [Id in OperationId]: Call<Id> };

type Call<Id extends OperationId> = object extends Operations[Id]["input"]
  ? (input?: Operations[Id]["input"] & CallOptions) => Promise<Operations[Id]["answer"]>
  : (input: Operations[Id]["input"] & CallOptions) => Promise<Operations[Id]["answer"]>;

/** How a request leaves: as fetch does it. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** Why a call is tried again, and when. */
export interface RetryNotice {
  operationId: OperationId;
  reason: string;
  seconds: number;
}

export interface ConnectOptions {
  /** Where the service is, without `/v1`. */
  baseUrl: string;
  /** An API key or a token. Without one, only what is public answers. */
  key?: string | undefined;
  fetch?: Send | undefined;
  /** Is told before the client waits to try again. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** How often a call is tried at the most: 5 when not said. */
  attemptsMax?: number | undefined;
  /** How long one attempt may take: 60 when not said. What is streamed may take longer. */
  timeoutSeconds?: number | undefined;
  /** The longest `Retry-After` that is waited for: 60 when not said. */
  retryAfterSecondsMax?: number | undefined;
  wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<unknown>) | undefined;
}

/**
 * A client of the service. A call that may succeed later is tried again after what the service asks for; a write
 * bears an Idempotency-Key through all its attempts, so that it takes effect once whatever is lost on the way.
 * Calls reject with a StepledgerProblem or a StepledgerUnreachable.
 */
export function connect(options: ConnectOptions): Stepledger {
  // Whatever sends it would refuse it too, and say it aloud.
  if (options.key !== undefined && !/^[!-~]+$/.test(options.key)) {
    throw new TypeError("The key is not one word of visible characters");
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
    // The table and the types are generated from the same contracts.
    (input: AnyInput = {}) => perform({ id: id as OperationId, operation, input, settings }),
  ]);
  return Object.fromEntries(calls) as Stepledger;
}

/** The options with what they leave out filled in. */
type Settings = Pick<ConnectOptions, "baseUrl" | "key" | "onRetry"> & {
  [
    Name in "fetch" | "attemptsMax" | "timeoutSeconds" | "retryAfterSecondsMax" | "wait"
  ]: NonNullable<ConnectOptions[Name]>;
};

/** The input of any operation, as far as the client itself must know it. */
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

interface Performance {
  id: OperationId;
  operation: Operation;
  input: AnyInput;
  settings: Settings;
}

async function perform({ id, operation, input, settings }: Performance): Promise<unknown> {
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
  for (let made = 1; ; made += 1) {
    const attempt = await tryOnce(request, settings.fetch);
    if (attempt.fault === undefined) return attempt.value;
    const milliseconds = waitFor(made, attempt.afterSeconds);
    const isTooLong = (attempt.afterSeconds ?? 0) > settings.retryAfterSecondsMax;
    if (!attempt.mayRepeat || isTooLong || made >= settings.attemptsMax) throw attempt.fault;
    settings.onRetry?.({
      operationId: id,
      reason: attempt.fault.message,
      seconds: Math.ceil(milliseconds / 1000),
    });
    await settings.wait(milliseconds, input.signal);
  }
}

type Attempt =
  | { value: unknown; fault?: never }
  | {
      fault: StepledgerProblem | StepledgerUnreachable;
      mayRepeat: boolean;
      afterSeconds: number | null;
    };

interface PreparedRequest {
  url: string;
  init: RequestInit;
  answers: Operation["answers"];
  signal: AbortSignal | undefined;
  timeoutSeconds: number;
}

async function tryOnce(request: PreparedRequest, send: Send): Promise<Attempt> {
  const { url, init, answers, signal, timeoutSeconds } = request;
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`No answer in ${timeoutSeconds} seconds`)),
    timeoutSeconds * 1000,
  );
  const both = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
  try {
    const response = await send(url, { ...init, signal: both });
    if (response.ok && answers === "bytes") return { value: response };
    return readAnswer(response, await response.text());
  } catch (error) {
    // Whoever ended the call is told so, not that nobody answered.
    signal?.throwIfAborted();
    const reason = `${new URL(url).origin} cannot be reached: ${reasonOf(error)}`;
    const fault = new StepledgerUnreachable(reason, { cause: error });
    return { fault, mayRepeat: true, afterSeconds: null };
  } finally {
    clearTimeout(timer);
  }
}

function readAnswer(response: Response, text: string): Attempt {
  const afterSeconds = retryAfter(response.headers);
  if (response.ok) {
    if (text === "") return { value: undefined };
    const value = parseJson(text);
    if (value !== undefined) return { value };
    // Broken off on the way: the repeat is answered whole.
    const fault = new StepledgerUnreachable(`${response.url} answered what is not JSON`);
    return { fault, mayRepeat: true, afterSeconds };
  }
  const problem = readProblem(text);
  if (problem !== null)
    return { fault: problem, mayRepeat: problem.retry === "same", afterSeconds };
  const fault = new StepledgerUnreachable(
    `${response.url} answered ${response.status}, and not as the service would`,
  );
  const isPassing = response.status >= 500 || response.status === 429;
  return { fault, mayRepeat: isPassing, afterSeconds };
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
  // The generated types allow nothing else for an operation that takes bytes.
  return {
    body: sends === "json" ? JSON.stringify(body) : (body as Blob | Uint8Array<ArrayBuffer>),
  };
}

/** What the service asks for; or longer each time, and never the same for all who wait. */
function waitFor(made: number, afterSeconds: number | null): number {
  if (afterSeconds !== null) return afterSeconds * 1000;
  return Math.min(250 * 2 ** made, 5_000) * (0.5 + Math.random() / 2);
}

/** In seconds; a date, which the service never sends, counts as no word. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get("Retry-After");
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

/** Behind "fetch failed" stands what really happened. */
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
