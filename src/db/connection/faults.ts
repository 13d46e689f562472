import type { NeonDbError } from "@neondatabase/serverless";

/** How a failed batch is handled. */
export type FaultKind =
  /** Certainly rolled back. A retry may succeed. */
  | "transient"
  /** It may have committed: retry under the same operation id. */
  | "unknown"
  /** An earlier attempt of the same operation, or a call with the same key, committed. */
  | "operation_exists"
  /** The first call of this operation is still running. */
  | "operation_running"
  /** Rolled back. A retry would fail too. */
  | "final"
  /** A bug in this program, not an error from the database. */
  | "defect";

/** The database could not be reached, or stayed too busy. The request itself may be fine. */
export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
}

/**
 * The database rejected a statement, and a retry would not help. Only the SQLSTATE and the constraint are kept: the
 * driver's message may contain bound parameters, which must not reach a log or a response.
 */
export class DatabaseFault extends Error {
  override name = "DatabaseFault";
  readonly sqlState: string;
  readonly constraint: string | null;

  constructor(sqlState: string, constraint: string | null) {
    super("The database refused the statement");
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}

/** A failed attempt. */
export interface QueryFault {
  kind: FaultKind;
  /** What to throw if the attempt is not retried: a DatabaseFault, or for a defect the error itself. */
  error: unknown;
}

/** Classifies the error of an attempt by the retry table in docs/reliability.md. */
export function faultOf(error: unknown): QueryFault {
  const reported = driverError(error);
  if (reported === null) {
    // A truncated response says as little about the commit as no response.
    return { kind: error instanceof SyntaxError ? "unknown" : "defect", error };
  }
  const { code = null, constraint = null } = isTooLarge(reported) ? PROGRAM_LIMIT : reported;
  const kind = kindOf(code, constraint, reported.where ?? "");
  return { kind, error: new DatabaseFault(code ?? "XX000", constraint) };
}

/** Returns the driver's error, which Drizzle may have wrapped. */
function driverError(error: unknown): NeonDbError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isDriverError(cause)) return cause;
  }
  return null;
}

/** By name, because importing the class would load the driver. */
function isDriverError(error: Error): error is NeonDbError {
  return error.name === "NeonDbError";
}

/** Neon's response to a result that exceeds its limit. A retry would return the same result. */
function isTooLarge({ message }: NeonDbError): boolean {
  return message.startsWith("Server error (HTTP status 507)");
}
const PROGRAM_LIMIT = { code: "54000", constraint: undefined };

function kindOf(code: string | null, constraint: string | null, where: string): FaultKind {
  if (code === null || /^(08|57P)/.test(code)) return "unknown";
  if (code === "55P03") return where.includes('"operations') ? "operation_running" : "transient";
  if (code === "23505" && constraint !== null && OPERATION_CONSTRAINTS.has(constraint)) {
    return "operation_exists";
  }
  // 53xxx: out of connections, memory or disk. 57014: the statement timeout, which rolls back.
  if (code === "40001" || code === "40P01" || code === "57014" || code.startsWith("53")) {
    return "transient";
  }
  return "final";
}

const OPERATION_CONSTRAINTS = new Set(["operations_tenant_id_id_pk", "operations_key"]);
