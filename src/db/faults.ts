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
  | "final";

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
    super(`The database refused the statement (${sqlState}${constraint ? `, ${constraint}` : ""})`);
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}

interface DriverError {
  code: string | null;
  constraint: string | null;
  /** Where Postgres was: for a lock timeout, the relation that it waited for. */
  where: string;
}

/** Finds Postgres's own words in an error, which drizzle may have wrapped. */
export function driverError(error: unknown): DriverError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code, constraint, where } = cause as Error & Record<string, unknown>;
    if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) {
      return {
        code,
        constraint: typeof constraint === "string" ? constraint : null,
        where: typeof where === "string" ? where : "",
      };
    }
  }
  return { code: null, constraint: null, where: "" };
}

/** The retry table (reliability.md, section 2), read from SQLSTATE and constraint. */
export function faultKind({ code, constraint, where }: DriverError): FaultKind {
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
