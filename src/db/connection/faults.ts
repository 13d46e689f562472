import type { NeonDbError } from "@neondatabase/serverless";
import { sqlStateRow, type Verdict } from "./sqlstates.ts";

/** How a failed batch is handled: by its row in the table of SQLSTATEs, or by what its operation collided with. */
export type FaultKind =
  | Verdict
  /** An earlier attempt of the same operation, or a call with the same key, committed. */
  | "operation_exists"
  /** The first call of this operation is still running. */
  | "operation_running";

/** What is known about an outage. */
export interface Outage {
  /** Null if there was no answer, or one without a code. */
  sqlState: string | null;
  /** Whether a write may have committed all the same. */
  isCommitUnknown: boolean;
}

/** The database could not be reached, or cannot serve anyone. The request itself may be fine. */
export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
  readonly outage: Outage;

  constructor(message: string, outage: Outage = { sqlState: null, isCommitUnknown: false }) {
    super(message);
    this.outage = outage;
  }
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

/**
 * Whether a batch failed because of some of its rows, so that its other rows can succeed without them: they broke a
 * rule, or the server fails on them, as on a damaged page.
 */
export function isAboutRows(error: unknown): error is DatabaseFault | DatabaseUnavailable {
  if (error instanceof DatabaseFault) {
    return sqlStateRow(error.sqlState, undefined).verdict === "rejected";
  }
  return error instanceof DatabaseUnavailable && DAMAGED.has(error.outage.sqlState);
}

/** XX001 and XX002: damage to some rows, or to an index that they are found by. */
const DAMAGED: ReadonlySet<string | null> = new Set(["XX001", "XX002"]);

/** A failed attempt. */
export interface QueryFault {
  kind: FaultKind;
  outage: Outage;
  /** What to throw if the attempt is not retried. */
  error: unknown;
}

/** Classifies the error of an attempt by the table of SQLSTATEs (docs/database-errors.md). */
export function faultOf(error: unknown): QueryFault {
  const report = reportOf(error);
  if (report === null) {
    // This program's own error.
    return { kind: "defect", outage: { sqlState: null, isCommitUnknown: false }, error };
  }
  const { code = null, constraint = null, severity, where = "" } = report;
  const { verdict, isCommitUnknown } = sqlStateRow(code, severity);
  const outage = { sqlState: code, isCommitUnknown };
  if (code === null || verdict === "retry" || verdict === "unavailable") {
    const isRunning = code === "55P03" && where.includes('"operations');
    const kind = isRunning ? "operation_running" : verdict;
    return { kind, outage, error: new DatabaseUnavailable("The database did not answer", outage) };
  }
  const isRepeat = code === "23505" && constraint !== null && OPERATION_CONSTRAINTS.has(constraint);
  const kind = isRepeat ? "operation_exists" : verdict;
  return { kind, outage, error: new DatabaseFault(code, constraint) };
}

/** What the database or the driver reported. */
type Report = Partial<Pick<NeonDbError, "code" | "constraint" | "severity" | "where">>;

/** Returns what the driver reported; null for an error of this program. */
function reportOf(error: unknown): Report | null {
  if (isDriverError(error)) return isTooLarge(error) ? { code: "54000" } : error;
  // A truncated response says as little about the commit as no response.
  return error instanceof SyntaxError ? {} : null;
}

/** By name, because importing the class would load the driver. */
function isDriverError(error: unknown): error is NeonDbError {
  return error instanceof Error && error.name === "NeonDbError";
}

/** Neon's response to a result that exceeds its limit. A retry would return the same result. */
function isTooLarge({ message }: NeonDbError): boolean {
  return message.startsWith("Server error (HTTP status 507)");
}

const OPERATION_CONSTRAINTS = new Set(["operations_tenant_id_id_pk", "operations_key"]);
