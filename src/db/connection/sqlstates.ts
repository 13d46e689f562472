/** What an error of the database says about the call that received it. */
export type Verdict =
  /** It passes. The client tries again; after the last attempt the caller gets 503. */
  | "retry"
  /** The database serves no one until an operator acts. The caller gets 503 at once. */
  | "unavailable"
  /** The rows break a rule of the schema. The action turns that into a refusal, or the caller gets 500. */
  | "rejected"
  /** The statement is wrong, and always fails. The caller gets 500. */
  | "defect";

/** One row of the table: a class of SQLSTATEs (two characters), or a code that differs from its class (five). */
export interface SqlStateRow {
  verdict: Verdict;
  /** Whether the transaction may have committed all the same. A retry finds its operation if it did. */
  isCommitUnknown: boolean;
  means: string;
}

const retry = (means: string): SqlStateRow => ({ verdict: "retry", isCommitUnknown: false, means });
/** Errors after which no one knows whether the transaction committed. They are always retried. */
const unknown = (means: string): SqlStateRow => ({ ...retry(means), isCommitUnknown: true });
const unavailable = (means: string): SqlStateRow => ({ ...retry(means), verdict: "unavailable" });
const rejected = (means: string): SqlStateRow => ({ ...retry(means), verdict: "rejected" });
const defect = (means: string): SqlStateRow => ({ ...retry(means), verdict: "defect" });

/**
 * Every class of Appendix A of the PostgreSQL documentation (versions 16 to 18), the codes that differ from their
 * class, and the class of this schema's own guards.
 *
 * An ERROR rolls the transaction back: once the commit record is written, Postgres raises every error to PANIC. The
 * classes 58 and XX nevertheless count as unknown, because they report a server or a storage that does not behave as
 * designed.
 */
export const SQLSTATES: Readonly<Record<string, SqlStateRow>> = {
  "00": defect("successful completion"),
  "01": defect("warning"),
  "02": defect("no data"),
  "03": defect("SQL statement not yet complete"),
  "08": unknown("connection exception"),
  "09": defect("triggered action exception"),
  "0A": defect("feature not supported"),
  "0B": defect("invalid transaction initiation"),
  "0F": defect("locator exception"),
  "0L": defect("invalid grantor"),
  "0P": defect("invalid role specification"),
  "0Z": defect("diagnostics exception"),
  "10": defect("XQuery error"),
  "20": defect("case not found"),
  "21": defect("cardinality violation"),
  "22": rejected("data exception"),
  "23": rejected("integrity constraint violation"),
  "24": defect("invalid cursor state"),
  "25": defect("invalid transaction state"),
  "25006": unavailable("the database is read-only, such as a standby or a full project"),
  "25P03": retry("the idle-in-transaction timeout ended the session before COMMIT"),
  "25P04": retry("the transaction timeout ended the session before COMMIT"),
  "26": retry("invalid SQL statement name: a pooler switched the connection"),
  "27": defect("triggered data change violation"),
  "28": unavailable("invalid authorization: the role may not log in, or its password changed"),
  "2B": defect("dependent privilege descriptors still exist"),
  "2D": defect("invalid transaction termination"),
  "2F": defect("SQL routine exception"),
  "34": defect("invalid cursor name"),
  "38": defect("external routine exception"),
  "39": defect("external routine invocation exception"),
  "3B": defect("savepoint exception"),
  "3D": unavailable("invalid catalog name: there is no such database"),
  "3F": defect("invalid schema name"),
  "40": retry("transaction rollback"),
  "40003": unknown("statement completion unknown"),
  "42": defect("syntax error or access rule violation"),
  "42P05": retry("duplicate prepared statement: a pooler switched the connection"),
  "44": rejected("WITH CHECK OPTION violation"),
  "53": retry("insufficient resources: disk, memory, or connections"),
  "54": defect("program limit exceeded, or a result over Neon's limit (HTTP 507)"),
  "55": defect("object not in prerequisite state"),
  "55006": retry("object in use"),
  "55P03": retry("lock not available"),
  "57": unknown("operator intervention: a shutdown, a crash, or a server that is starting"),
  "57014": retry("query canceled, by the statement timeout or by an operator"),
  "58": unknown("system error, such as failed input or output"),
  "72": retry("snapshot too old (PostgreSQL 16)"),
  F0: unavailable("configuration file error"),
  HV: defect("foreign data wrapper error"),
  P0: rejected("PL/pgSQL error: a trigger or a function refused the rows"),
  SL: rejected("a guard of this schema refused the rows"),
  XX: unknown("internal error"),
  XX001: unavailable("data corrupted"),
  XX002: unavailable("index corrupted"),
};

/** An error without a SQLSTATE comes from the way to the database: no answer, HTTP 5xx, or a truncated one. */
export const NO_SQLSTATE = unknown(
  "no SQLSTATE: the connection failed, or there was no complete answer",
);

/**
 * A FATAL error ends the session, so it is about the server or the login and never about the statement: 42501 if the
 * role may not connect, 55000 if the database accepts no connections.
 */
const SESSION_ENDED = unknown("FATAL with a code that is not retried otherwise");

/** A code that no row names, such as one of an extension. */
const UNLISTED = defect("any other code");

/** Returns the row that applies to an error: that of its code, or else of its class. */
export function sqlStateRow(code: string | null, severity: string | undefined): SqlStateRow {
  if (code === null) return NO_SQLSTATE;
  const row = SQLSTATES[code] ?? SQLSTATES[code.slice(0, 2)] ?? UNLISTED;
  const isAboutStatement = row.verdict === "rejected" || row.verdict === "defect";
  if (severity === "FATAL" && isAboutStatement) return SESSION_ENDED;
  // PANIC crashes the server, and can do so while the commit is being written.
  if (severity === "PANIC")
    return { ...(isAboutStatement ? SESSION_ENDED : row), isCommitUnknown: true };
  return row;
}
