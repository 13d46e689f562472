import { uuidv7 } from "uuidv7";
import { DatabaseFault } from "../../db/connection/faults.ts";
import type { Trace } from "./context.ts";

/** One line of the log: never a secret, a parameter, a body, nor the message of an error that may hold them. */
export interface LogEntry {
  level: "info" | "warn" | "error";
  message: string;
  requestId: string;
  [field: string]: unknown;
}
export type Log = (entry: LogEntry) => void;

/** Writes an entry as one JSON object on one line: whatever is in it, it stays one line. */
// oxlint-disable-next-line eslint/no-console -- a Worker's log is its console
export const logToConsole: Log = (entry) => console.log(JSON.stringify(entry));

/** Begins the trace of a request, under its own id if that is one that may stand in a log and a header. */
export function beginTrace(headers: Headers): Trace {
  const given = headers.get("x-request-id");
  const requestId = given !== null && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : uuidv7();
  return {
    requestId,
    operationId: null,
    tenantId: null,
    actor: null,
    database: null,
    error: null,
    replayed: false,
  };
}

/** The `Server-Timing` of an answer: what the database cost. */
export function serverTiming({ database }: Trace): string {
  const roundTrips = database?.roundTrips ?? 0;
  const unit = roundTrips === 1 ? "round trip" : "round trips";
  return `db;desc="${roundTrips} ${unit}";dur=${(database?.durationMs ?? 0).toFixed(1)}`;
}

/** The log line of a request that was answered. */
export function requestEntry(
  trace: Trace,
  answered: { method: string; status: number; ms: number },
): LogEntry {
  const { requestId, operationId, tenantId, actor, error, replayed, database } = trace;
  return {
    level: levelOf(answered.status),
    message: "request",
    requestId,
    operation: operationId,
    method: answered.method,
    status: answered.status,
    error,
    replayed,
    tenantId,
    actorId: actor?.id ?? null,
    actorKind: actor?.kind ?? null,
    role: actor?.role ?? null,
    ms: Math.round(answered.ms),
    roundTrips: database?.roundTrips ?? 0,
  };
}

function levelOf(status: number): LogEntry["level"] {
  if (status >= 500) return "error";
  return status === 401 || status === 403 || status === 429 ? "warn" : "info";
}

/** The log line of an error that nobody expected: its kind and where it came from, not what it says. */
export function defectEntry(
  { requestId, operationId }: Pick<Trace, "requestId" | "operationId">,
  error: unknown,
): LogEntry {
  const known = error instanceof Error ? error : null;
  const fault = known instanceof DatabaseFault ? known : null;
  return {
    level: "error",
    message: "defect",
    requestId,
    operation: operationId,
    name: known?.name ?? typeof error,
    sqlState: fault?.sqlState ?? null,
    constraint: fault?.constraint ?? null,
    frames: known === null ? [] : framesOf(known),
  };
}

const FRAMES_MAX = 8;

/** The stack without its head, which repeats the message. */
function framesOf({ stack = "", message }: Error): string[] {
  const end = stack.lastIndexOf(message);
  if (end === -1) return [];
  const frames = stack.slice(end + message.length).split("\n");
  return frames.flatMap((line) => (line.trim() === "" ? [] : [line.trim()])).slice(0, FRAMES_MAX);
}
