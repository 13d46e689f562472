import { inject } from "vitest";
import type { DatabaseAddresses } from "./stack.ts";

/** Strikes only the batch that writes: it begins with its operation. */
export const ON_WRITE = { sql: "insert into operations" };

/** What can be broken on the way to the database: scripts/stack/neon-faults.ts says what each does. */
export interface FaultOptions {
  kind: "delay" | "unavailable" | "sqlstate" | "cut-before-commit" | "cut-after-commit";
  /** How often it strikes: once when not said, null until `clearFaults`. */
  times?: number | null;
  /** How many requests that match pass unharmed first. */
  skip?: number;
  delayMilliseconds?: number;
  /** The SQLSTATE of `sqlstate`; 40001 when not said. */
  code?: string;
  /** Only requests in which a statement contains this text. */
  sql?: string;
}

export type DatabaseRole = "application" | "owner" | "superuser";
export type SqlValue = string | number | boolean | null | readonly SqlValue[];
export type SqlRow = Record<string, string | null>;

/** A migrated, empty database of a test file's own, reached through the local Neon endpoint. */
export interface TestDatabase extends DatabaseAddresses {
  /**
   * Runs one statement as that role, beside the product: neither counted nor struck by faults. Values come back as
   * Postgres's own text. A refusal throws a `SqlError` with its SQLSTATE.
   */
  query: (role: DatabaseRole, text: string, values?: readonly SqlValue[]) => Promise<SqlRow[]>;
  /** The same for several statements in one transaction. */
  transaction: (role: DatabaseRole, statements: readonly SqlStatement[]) => Promise<SqlRow[][]>;
  /** Breaks requests to this database alone. */
  faults: (fault: FaultOptions) => Promise<void>;
  /** Faults that have not struck yet. */
  waitingFaults: () => Promise<number>;
  clearFaults: () => Promise<void>;
  /** Requests that the product has sent to this database since the last reset. */
  roundTrips: () => Promise<number>;
  /** Of these, those that a tenant's rows were read or written by: whole transactions, in that tenant's scope. */
  tenantRoundTrips: () => Promise<number>;
  resetRoundTrips: () => Promise<void>;
  drop: () => Promise<void>;
}

export interface SqlStatement {
  text: string;
  values?: readonly SqlValue[];
}

/** A statement that Postgres refused. */
export class SqlError extends Error {
  readonly code: string | null;
  readonly constraint: string | null;

  constructor(error: { message: string; code: string | null; constraint?: string | null }) {
    super(error.message);
    this.code = error.code;
    this.constraint = error.constraint ?? null;
  }
}

/** Makes a database for the calling test file; the end of the run removes it when the file does not. */
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

/** Speaks the endpoint's protocol itself, so that what is observed does not pass through the product's client. */
async function runSql(
  addresses: DatabaseAddresses,
  role: DatabaseRole,
  statements: readonly SqlStatement[],
): Promise<SqlRow[][]> {
  const url = {
    application: addresses.databaseUrl,
    owner: addresses.migrationDatabaseUrl,
    superuser: addresses.superuserUrl,
  }[role];
  const response = await fetch(addresses.fetchEndpoint, {
    method: "POST",
    headers: {
      "Neon-Connection-String": `${url}?application_name=stepledger-observer`,
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

// The proxy's own answers, whose shape the tests of the stack hold.
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
