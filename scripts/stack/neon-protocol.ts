import type { IncomingHttpHeaders } from "node:http";
import type { DatabaseError, FieldDef, QueryArrayResult } from "pg";
import { z } from "zod";

/** Thrown for a request that the endpoint rejects without asking Postgres. */
export class RequestFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const statementSchema = z.object({
  query: z.string(),
  params: z.array(z.unknown()).default([]),
  arrayMode: z.boolean().optional(),
});
const bodySchema = z.union([z.object({ queries: z.array(statementSchema) }), statementSchema]);

export interface Statement {
  query: string;
  values: (string | null)[];
  isArrayMode: boolean;
}

export interface SqlRequest {
  /** The DSN as sent, which selects the pool. */
  connectionString: string;
  isBatch: boolean;
  statements: Statement[];
  /** Values are returned as the text that Postgres sends. Otherwise, types that JSON can express become JSON values. */
  isRawText: boolean;
  batch: { isolation: string | null; isReadOnly: boolean; isDeferrable: boolean };
}

/**
 * Parses what the driver sends to `POST /sql`.
 * @throws {RequestFault} if the request is malformed.
 */
export function parseRequest(headers: IncomingHttpHeaders, body: string): SqlRequest {
  const connectionString = headers["neon-connection-string"];
  if (typeof connectionString !== "string" || connectionString === "") {
    throw new RequestFault(400, "missing connection string");
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new RequestFault(400, "could not parse the HTTP request body");
  }
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) throw new RequestFault(400, "could not parse the HTTP request body");

  const isBatch = "queries" in parsed.data;
  const sent = "queries" in parsed.data ? parsed.data.queries : [parsed.data];
  const isArrayByDefault = isTrue(headers["neon-array-mode"]);
  const isolation = headers["neon-batch-isolation-level"] ?? null;
  if (isBatch && isolation !== null && !ISOLATION_LEVELS.has(String(isolation))) {
    throw new RequestFault(400, "invalid isolation level");
  }
  return {
    connectionString,
    isBatch,
    isRawText: isTrue(headers["neon-raw-text-output"]),
    statements: sent.map(({ query, params, arrayMode }) => ({
      query,
      values: params.map(textOf),
      isArrayMode: arrayMode ?? isArrayByDefault,
    })),
    batch: {
      isolation: isolation === null ? null : String(isolation),
      isReadOnly: isTrue(headers["neon-batch-read-only"]),
      isDeferrable: isTrue(headers["neon-batch-deferrable"]),
    },
  };
}

const ISOLATION_LEVELS = new Map([
  ["ReadUncommitted", "READ UNCOMMITTED"],
  ["ReadCommitted", "READ COMMITTED"],
  ["RepeatableRead", "REPEATABLE READ"],
  ["Serializable", "SERIALIZABLE"],
]);

/** Returns the statement that opens the transaction of a batch. */
export function beginStatement({ isolation, isReadOnly, isDeferrable }: SqlRequest["batch"]) {
  const level = isolation === null ? undefined : ISOLATION_LEVELS.get(isolation);
  return [
    "BEGIN",
    level ? `ISOLATION LEVEL ${level}` : "",
    isReadOnly ? "READ ONLY" : "",
    isDeferrable ? "DEFERRABLE" : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** Returns the batch headers of the request, which the answer repeats. */
export function echoedHeaders({ isolation, isReadOnly, isDeferrable }: SqlRequest["batch"]) {
  return {
    ...(isolation === null ? {} : { "Neon-Batch-Isolation-Level": isolation }),
    ...(isReadOnly ? { "Neon-Batch-Read-Only": "true" } : {}),
    ...(isDeferrable ? { "Neon-Batch-Deferrable": "true" } : {}),
  };
}

const isTrue = (header: string | string[] | undefined) => header === "true";

/** Converts a JSON parameter to the text that Postgres parses by the parameter's type. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  return Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value);
}

function arrayLiteral(values: readonly unknown[]): string {
  const elements = values.map((value) => {
    if (value === null) return "NULL";
    if (Array.isArray(value)) return arrayLiteral(value);
    if (typeof value === "string") return JSON.stringify(value);
    const json = JSON.stringify(value);
    return typeof value === "object" ? JSON.stringify(json) : json;
  });
  return `{${elements.join(",")}}`;
}

/** Converts the result of one statement to the endpoint's format. */
export function renderResult(result: QueryArrayResult, statement: Statement, isRaw: boolean) {
  const fields = result.fields.map((field) => ({ ...field, format: "text" }));
  const rows = isRaw ? result.rows : result.rows.map((row) => typedRow(row, fields));
  return {
    rowAsArray: statement.isArrayMode,
    fields,
    rows: statement.isArrayMode
      ? rows
      : rows.map((row) => Object.fromEntries(fields.map(({ name }, at) => [name, row[at]]))),
    command: result.command?.split(" ")[0] ?? "",
    rowCount: result.rowCount,
  };
}

/** The types whose values become JSON unless raw text was requested: bool, numbers, json and jsonb. */
const JSON_TYPES = new Set([16, 21, 23, 700, 701, 114, 3802]);

function typedRow(row: readonly unknown[], fields: readonly FieldDef[]): unknown[] {
  return row.map((value, at) => {
    const type = fields[at]?.dataTypeID ?? 0;
    if (typeof value !== "string" || !JSON_TYPES.has(type)) return value;
    if (type === 16) return value === "t";
    // JSON has no numbers for NaN and the infinities, so they stay text.
    const hasNoJsonNumber = (type === 700 || type === 701) && !Number.isFinite(Number(value));
    const json: unknown = hasNoJsonNumber ? value : JSON.parse(value);
    return json;
  });
}

const ERROR_MEMBERS = [
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "severity",
  "where",
  "table",
  "column",
  "schema",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;

/** Converts a Postgres error to the endpoint's format: every member is present, and null if unknown. */
export function renderError(
  error: DatabaseError | { message: string; code: string; severity: string },
) {
  const known: Partial<Record<(typeof ERROR_MEMBERS)[number], string | undefined>> = error;
  return {
    message: error.message,
    ...Object.fromEntries(ERROR_MEMBERS.map((member) => [member, known[member] ?? null])),
  };
}

/** Whether a request's first statement sets the tenant, either directly or by calling a prepared function. */
export function isOfTenant({ query }: Statement): boolean {
  return /^select (set_config\('app\.tenant_id'|\* from prepared\.)/.test(query);
}
