import type { NeonDbError } from "@neondatabase/serverless";

/** What a failed batch tells about itself. */
export type FaultKind =
  /** Rolled back for certain, and worth another try as it is. */
  | "transient"
  /** Nobody can say whether it committed: try again under the same operation id. */
  | "unknown"
  /** An earlier try of the same operation, or of the same key, committed. */
  | "operation_exists"
  /** The first call of this operation still runs. */
  | "operation_running"
  /** Rolled back, and no other try would fare better. */
  | "final"
  /** A mistake of our own, and nothing that the database said. */
  | "defect";

/** The database could not be reached, or stayed too busy: nothing is known to be wrong with the request. */
export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
}

/**
 * The database refused a statement for good. It bears the SQLSTATE and the constraint alone: the driver's own
 * message may hold bound parameters, which reach no log and no answer.
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

/** A failed try, read from what the driver threw. */
export interface QueryFault {
  kind: FaultKind;
  /** What to throw where no other try would fare better: a refusal of Postgres's, or the mistake itself. */
  error: unknown;
}

/** Judges what a try threw, by the retry table (reliability.md, section 2). */
export function faultOf(error: unknown): QueryFault {
  const answer = driverError(error);
  if (answer === null) {
    // An answer that was cut off in the middle says as little about the commit as none at all.
    return { kind: error instanceof SyntaxError ? "unknown" : "defect", error };
  }
  const { code = null, constraint = null } = isTooLarge(answer) ? PROGRAM_LIMIT : answer;
  const kind = kindOf(code, constraint, answer.where ?? "");
  return { kind, error: new DatabaseFault(code ?? "XX000", constraint) };
}

/** Finds the driver's own error, which drizzle may have wrapped. */
function driverError(error: unknown): NeonDbError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isOfDriver(cause)) return cause;
  }
  return null;
}

/** Told by its name: whoever asks for the class itself loads the driver. */
function isOfDriver(error: Error): error is NeonDbError {
  return error.name === "NeonDbError";
}

/** Neon's answer to a result that is too large for it: no other try would be smaller. */
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
  // 53xxx: out of connections, memory or disk; 57014: over the statement timeout, and so rolled back.
  if (code === "40001" || code === "40P01" || code === "57014" || code.startsWith("53")) {
    return "transient";
  }
  return "final";
}

const OPERATION_CONSTRAINTS = new Set(["operations_tenant_id_id_pk", "operations_key"]);
