import { inject } from "vitest";
import type { DatabaseAddresses } from "./stack.ts";

/** Limits a fault to the batch that writes, which starts with its operation. */
export const ON_WRITE = { sql: "insert into operations" };

/** A fault on the way to the database. scripts/stack/neon-faults.ts describes each kind. */
export interface FaultOptions {
  kind: "delay" | "unavailable" | "sqlstate" | "cut-before-commit" | "cut-after-commit";
  /** How many requests it hits. One by default; null means all until `clearFaults`. */
  times?: number | null;
  /** How many matching requests pass first. */
  skip?: number;
  delayMilliseconds?: number;
  /** The SQLSTATE of the kind `sqlstate`. 40001 by default. */
  code?: string;
  /** The severity of the kind `sqlstate`. ERROR by default. */
  severity?: "ERROR" | "FATAL" | "PANIC";
  /** Limits the fault to requests with a statement that contains this text. */
  sql?: string;
}

/** The forger is the superuser on connections of its own, whose settings outlive a statement. */
export type DatabaseRole = "application" | "owner" | "superuser" | "forger";
export type SqlValue = string | number | boolean | null | readonly SqlValue[];
export type SqlRow = Record<string, string | null>;

/** A migrated, empty database for one test file, behind the local Neon endpoint. */
export interface TestDatabase extends DatabaseAddresses {
  /**
   * Runs one statement as that role. It is not counted, and faults do not hit it. Values are returned as Postgres's
   * text.
   * @throws SqlError with the SQLSTATE if Postgres refuses the statement.
   */
  query: (role: DatabaseRole, text: string, values?: readonly SqlValue[]) => Promise<SqlRow[]>;
  /** Runs several statements in one transaction. */
  transaction: (role: DatabaseRole, statements: readonly SqlStatement[]) => Promise<SqlRow[][]>;
  /** Adds a fault for requests to this database. */
  faults: (fault: FaultOptions) => Promise<void>;
  /** Returns how many faults are still pending. */
  waitingFaults: () => Promise<number>;
  clearFaults: () => Promise<void>;
  /** Returns how many requests the product has sent to this database since the last reset. */
  roundTrips: () => Promise<number>;
  /** Returns how many of these ran in the scope of a tenant. */
  tenantRoundTrips: () => Promise<number>;
  resetRoundTrips: () => Promise<void>;
  drop: () => Promise<void>;
}

export interface SqlStatement {
  text: string;
  values?: readonly SqlValue[];
}

/** The error of a statement that Postgres refused. */
export class SqlError extends Error {
  readonly code: string | null;
  readonly constraint: string | null;

  constructor(error: { message: string; code: string | null; constraint?: string | null }) {
    super(error.message);
    this.code = error.code;
    this.constraint = error.constraint ?? null;
  }
}

/** Creates a database for the calling test file. It is removed at the end of the run, unless the file drops it. */
export async function freshDatabase(): Promise<TestDatabase> {
  const { controlUrl } = inject("stack");
  const addresses: DatabaseAddresses = await json(`${controlUrl}/databases`, { method: "POST" });
  const { name, proxyUrl } = addresses;
  const faultsUrl = `${proxyUrl}/control/faults`;
  const roundTripsUrl = `${proxyUrl}/control/round-trips?database=${name}`;
  const countRoundTrips = () => json<{ total: number; ofTenants: number }>(roundTripsUrl);
  const listFaults = () => json<{ match: { database?: string } }[]>(faultsUrl);

  return {
    ...addresses,
    query: async (role, text, values) => {
      const [rows] = await runSql(addresses, role, [{ text, ...(values ? { values } : {}) }]);
      return rows ?? [];
    },
    transaction: (role, statements) => runSql(addresses, role, statements),
    faults: async ({ sql, ...fault }) => {
      const match = { database: name, ...(sql === undefined ? {} : { sql }) };
      await json(faultsUrl, { method: "POST", body: JSON.stringify({ ...fault, match }) });
    },
    waitingFaults: async () =>
      (await listFaults()).filter(({ match }) => match.database === name).length,
    clearFaults: () => send(`${faultsUrl}?database=${name}`, { method: "DELETE" }),
    roundTrips: async () => (await countRoundTrips()).total,
    tenantRoundTrips: async () => (await countRoundTrips()).ofTenants,
    resetRoundTrips: () => send(roundTripsUrl, { method: "DELETE" }),
    drop: () => send(`${controlUrl}/databases/${name}`, { method: "DELETE" }),
  };
}

/** Speaks the endpoint's protocol directly, so that observations do not pass through the product's client. */
async function runSql(
  addresses: DatabaseAddresses,
  role: DatabaseRole,
  statements: readonly SqlStatement[],
): Promise<SqlRow[][]> {
  const url = {
    application: addresses.databaseUrl,
    owner: addresses.migrationDatabaseUrl,
    superuser: addresses.superuserUrl,
    forger: addresses.superuserUrl,
  }[role];
  // The proxy keeps a pool for each text of a connection string.
  const pool = role === "forger" ? "&pool=forger" : "";
  const response = await fetch(addresses.fetchEndpoint, {
    method: "POST",
    headers: {
      "Neon-Connection-String": `${url}?application_name=stepledger-observer${pool}`,
      "Neon-Raw-Text-Output": "true",
    },
    body: JSON.stringify({
      queries: statements.map(({ text, values = [] }) => ({ query: text, params: values })),
    }),
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new SqlError(body as SqlErrorBody);
  return (body as { results: { rows: SqlRow[] }[] }).results.map(({ rows }) => rows);
}

// The shape of the proxy's errors, which the tests of the stack check.
type SqlErrorBody = ConstructorParameters<typeof SqlError>[0];

async function send(url: string, init?: RequestInit): Promise<void> {
  await read(url, init);
}

async function json<Body>(url: string, init?: RequestInit): Promise<Body> {
  return JSON.parse(await read(url, init)) as Body;
}

async function read(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}
