import { uuidv7 } from "uuidv7";
import type { SweptWork } from "../../actions/upkeep/sweep.ts";
import type { sweepDaily } from "../../actions/upkeep/sweep-daily.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { DatabaseFault, DatabaseUnavailable, type Outage } from "../../db/connection/faults.ts";
import type { Actor } from "../../domain/actor.ts";
import type { AuthFailure } from "./principal.ts";
import type { UnopenedSecret } from "../../outbound/sealer.ts";
import type { ErrorCode } from "./problem.ts";

/** The facts about a request. They are filled in while it is handled, and then logged. */
export interface Trace {
  requestId: string;
  operationId: string | null;
  tenantId: string | null;
  actor: Actor | null;
  database: TenantDatabase | null;
  /** Notes the use of the caller's API key, after the response. Null if there is nothing to note. */
  recordUse: (() => Promise<void>) | null;
  error: ErrorCode | null;
  /** Why the credential was rejected. */
  authFailure: AuthFailure | null;
  /** Why the database could not answer, if that failed the request. */
  outage: Outage | null;
  replayed: boolean;
}

/** A log line. It never contains a secret, a parameter, a body, or an error message, which could quote one of them. */
export interface LogEntry {
  level: "info" | "warn" | "error";
  message: string;
  requestId: string;
  [field: string]: unknown;
}
export type Log = (entry: LogEntry) => void;

/** Logs an entry as one line of JSON. */
// oxlint-disable-next-line eslint/no-console -- a Worker's log is its console
export const logToConsole: Log = (entry) => console.log(JSON.stringify(entry));

/** Starts the trace of a request, with the client's request id if it is safe in logs and headers. */
export function beginTrace(headers: Headers): Trace {
  const given = headers.get("x-request-id");
  const requestId = given !== null && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : uuidv7();
  return {
    requestId,
    operationId: null,
    tenantId: null,
    actor: null,
    database: null,
    recordUse: null,
    error: null,
    authFailure: null,
    outage: null,
    replayed: false,
  };
}

/** Returns the `Server-Timing` header: the number and duration (ms) of database round trips. */
export function serverTiming({ database }: Trace): string {
  const roundTrips = database?.roundTrips ?? 0;
  const unit = roundTrips === 1 ? "round trip" : "round trips";
  return `db;desc="${roundTrips} ${unit}";dur=${(database?.durationMs ?? 0).toFixed(1)}`;
}

/** Returns the log line of a handled request. */
export function requestEntry(
  trace: Trace,
  outcome: { method: string; status: number; ms: number },
): LogEntry {
  const { requestId, operationId, tenantId, actor, replayed, database } = trace;
  const { error, authFailure, outage } = trace;
  return {
    level: levelOf(outcome.status),
    message: "request",
    requestId,
    operation: operationId,
    method: outcome.method,
    status: outcome.status,
    error,
    ...(authFailure !== null && { authFailure }),
    ...outage,
    replayed,
    tenantId,
    actorId: actor?.id ?? null,
    actorKind: actor?.kind ?? null,
    role: actor?.role ?? null,
    ms: Math.round(outcome.ms),
    roundTrips: database?.roundTrips ?? 0,
  };
}

function levelOf(status: number): LogEntry["level"] {
  if (status >= 500) return "error";
  return status === 401 || status === 403 || status === 429 ? "warn" : "info";
}

/** Returns the log line of an unexpected error: its name and stack frames, without its message. */
export function defectEntry(
  { requestId, operationId }: Pick<Trace, "requestId" | "operationId">,
  error: unknown,
): LogEntry {
  const known = error instanceof Error ? error : null;
  const sqlState = known instanceof DatabaseUnavailable ? known.outage.sqlState : null;
  const fault = known instanceof DatabaseFault ? known : null;
  return {
    level: "error",
    message: "defect",
    requestId,
    operation: operationId,
    name: known?.name ?? typeof error,
    sqlState: fault?.sqlState ?? sqlState,
    constraint: fault?.constraint ?? null,
    frames: known === null ? [] : framesOf(known),
  };
}

/** Returns the log line of a sweep. It is an error if objects wait for an operator: see docs/deploy.md. */
export function sweptEntry(
  { requestId, cron }: { requestId: string; cron: string },
  swept: SweptWork | Awaited<ReturnType<typeof sweepDaily>>,
): LogEntry {
  const isStopped = "held" in swept && (swept.sweep === null || swept.held.length > 0);
  const message = isStopped ? "sweep_stopped" : "swept";
  return { level: isStopped ? "error" : "info", message, requestId, cron, ...swept };
}

/** Returns the log line of a signing secret that did not open. Its messages wait until it does. */
export function unopenedEntry({ id, ...secret }: UnopenedSecret): LogEntry {
  return {
    level: "error",
    message: "secret_not_opened",
    requestId: uuidv7(),
    secretId: id,
    ...secret,
  };
}

const FRAMES_MAX = 8;

/** Returns the stack without its head, which contains the message. */
function framesOf({ stack = "", message }: Error): string[] {
  const end = stack.lastIndexOf(message);
  if (end === -1) return [];
  const frames = stack.slice(end + message.length).split("\n");
  return frames.flatMap((line) => (line.trim() === "" ? [] : [line.trim()])).slice(0, FRAMES_MAX);
}
