import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { pipeline, Transform } from "node:stream";
import {
  DatabaseError,
  Pool,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryResult,
} from "pg";
import { createWebSocketStream, WebSocketServer } from "ws";
import { z } from "zod";
import { faultSchema, Faults, type Fault } from "./neon-faults.ts";
import {
  isOfTenant,
  beginStatement,
  echoedHeaders,
  parseRequest,
  renderError,
  renderResult,
  RequestFault,
  type SqlRequest,
  type Statement,
} from "./neon-protocol.ts";

export interface NeonProxyOptions {
  /** The Postgres that every DSN connects to, whatever host the DSN names. */
  target: { host: string; port: number; ssl?: boolean };
  port?: number;
  /** The maximum number of connections for one DSN. */
  connectionsMax?: number;
  /** Delays every request, and every packet of a session, to simulate a distant database. */
  delayMilliseconds?: number;
  /** Called with each statement that arrives over HTTP. Returns the statement to run. */
  rewrite?: (statement: Statement) => Statement;
}

/** A local stand-in for Neon's HTTP and WebSocket endpoint that also counts round trips and injects faults. */
export interface NeonProxy {
  /** `http://127.0.0.1:PORT`. The control endpoints are under `/control`. */
  url: string;
  /** The value for NEON_FETCH_ENDPOINT. */
  fetchEndpoint: string;
  port: number;
  /** Closes the idle connections to a database, so that it can be dropped or used as a template. */
  releaseDatabase: (database: string) => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Connections with this application name are neither counted nor affected by faults. Tests use them to read tables
 * while faults are injected into the product.
 */
export const OBSERVER_APPLICATION = "stepledger-observer";

/** Starts the endpoint on the loopback interface. */
export async function startNeonProxy(options: NeonProxyOptions): Promise<NeonProxy> {
  const pools = new Pools(options);
  const faults = new Faults();

  const server = createServer((request, response) => {
    answer({ request, response, pools, faults, options }).catch((error: unknown) => {
      if (!response.headersSent) send(response, 500, { message: String(error), code: null });
      else response.destroy();
    });
  });
  // A Worker keeps its connections open. Closing one would look like a database fault.
  server.keepAliveTimeout = 120_000;

  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { host, port } = options.target;
      // After the upgrade, the stream is the raw Postgres protocol. If one end closes, the other is closed too.
      const tunnel = createWebSocketStream(webSocket);
      const backend = connect({ host, port, noDelay: true });
      const far = distance(options.delayMilliseconds ?? 0);
      pipeline(tunnel, far, backend, tunnel, () => webSocket.terminate());
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    fetchEndpoint: `${url}/sql`,
    port: address.port,
    releaseDatabase: (database) => pools.release(database),
    stop: async () => {
      for (const webSocket of sockets.clients) webSocket.terminate();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await pools.end();
    },
  };
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  pools: Pools;
  faults: Faults;
  options: NeonProxyOptions;
}

/** Forwards each chunk after a delay, in order. Chunks that arrive together stay together. */
function distance(milliseconds: number): Transform {
  return new Transform({
    transform(piece, _encoding, done) {
      if (milliseconds === 0) done(null, piece);
      else {
        setTimeout(() => this.push(piece), milliseconds);
        done();
      }
    },
    flush(done) {
      setTimeout(done, milliseconds);
    },
  });
}

async function answer(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const path = new URL(request.url ?? "/", "http://localhost").pathname;
  try {
    if (path.startsWith("/control/")) await control(exchange, path);
    else if (path !== "/sql") throw new RequestFault(400, "query is not supported");
    else if (request.method === "OPTIONS") send(response, 200, null, PREFLIGHT_HEADERS);
    else if (request.method === "POST") await answerSql(exchange);
    else throw new RequestFault(400, "query is not supported");
  } catch (error) {
    if (error instanceof RequestFault) {
      send(response, error.status, { message: error.message, code: null });
    } else if (error instanceof DatabaseError) send(response, 400, renderError(error));
    // There is no SQLSTATE, so the connection itself failed. Whether the statements took effect is unknown.
    else send(response, 500, { message: String(error), code: null });
  }
}

const PREFLIGHT_HEADERS = {
  Allow: "OPTIONS, POST",
  "Access-Control-Allow-Headers":
    "Authorization, Neon-Connection-String, Neon-Raw-Text-Output, Neon-Array-Mode, Neon-Pool-Opt-In, Neon-Batch-Read-Only, Neon-Batch-Isolation-Level, Neon-Batch-Deferrable",
  "Access-Control-Max-Age": "86400",
};

async function answerSql({ request, response, pools, faults, options }: Exchange): Promise<void> {
  const { delayMilliseconds = 0, rewrite = (statement: Statement) => statement } = options;
  const parsed = parseRequest(request.headers, await readBody(request));
  const sql = { ...parsed, statements: parsed.statements.map(rewrite) };
  const pool = pools.of(sql.connectionString);
  const struck = pool.isObserver ? [] : faults.take(pool.database, sql.statements);
  if (!pool.isObserver) {
    pool.roundTrips += 1;
    if (sql.statements.slice(0, 1).some(isOfTenant)) pool.ofTenants += 1;
  }

  await delay(struck, delayMilliseconds);
  const fault = struck.find(({ kind }) => kind !== "delay");
  if (fault?.kind === "unavailable") throw new RequestFault(503, "the database is unavailable");
  if (fault?.kind === "sqlstate") {
    const { code, severity } = fault;
    send(response, 400, renderError({ message: "injected fault", code, severity }));
    return;
  }
  const results = await execute(pool.pool, sql, fault?.kind === "cut-before-commit");
  if (fault) {
    response.destroy();
    return;
  }
  const rendered = results.map((result, at) =>
    renderResult(result, statementAt(sql.statements, at), sql.isRawText),
  );
  const body = sql.isBatch ? { results: rendered } : rendered[0];
  send(response, 200, body, sql.isBatch ? echoedHeaders(sql.batch) : {});
}

function statementAt(statements: readonly Statement[], index: number): Statement {
  const statement = statements[index];
  if (statement === undefined)
    throw new Error("Postgres returned more results than there were statements");
  return statement;
}

async function delay(struck: readonly Fault[], always: number): Promise<void> {
  const total = struck.reduce((sum, { delayMilliseconds }) => sum + delayMilliseconds, always);
  if (total > 0) await new Promise((resolve) => setTimeout(resolve, total));
}

/**
 * Runs a single statement, or a batch as one transaction. All statements are pipelined. After an error, Postgres skips
 * the rest and turns the COMMIT into a rollback. Statements are unnamed, as at Neon: named ones would keep plans across
 * migrations, and would hide what a pooled connection cannot do.
 */
async function execute(
  pool: Pool,
  { isBatch, statements, batch }: SqlRequest,
  isRolledBack: boolean,
): Promise<QueryArrayResult[]> {
  const client = await pool.connect();
  const inTransaction = isBatch || isRolledBack;
  const opening: Promise<QueryResult>[] = [];
  if (inTransaction) opening.push(client.query(beginStatement(batch)));
  const queries = statements.map(({ query, values }) => client.query(extended(query, values)));
  if (inTransaction) queries.push(client.query(isRolledBack ? "ROLLBACK" : "COMMIT"));
  const settled = await Promise.allSettled([...opening, ...queries]);

  const failed = settled.find((outcome) => outcome.status === "rejected");
  const isLost = failed !== undefined && !isRefusal(failed.reason);
  // A connection that is still in a transaction is closed: the next request must not inherit it.
  client.release(isLost || client.getTransactionStatus() !== "I");
  if (failed) throw failed.reason;
  return Promise.all(queries.slice(0, statements.length));
}

/** Whether Postgres rejected a statement but kept the connection. */
function isRefusal(reason: unknown): boolean {
  return reason instanceof DatabaseError && !["FATAL", "PANIC"].includes(reason.severity ?? "");
}

/** Requests raw text rows through the extended protocol, which takes only one statement, like Neon's endpoint. */
function extended(text: string, values: (string | null)[]): QueryArrayConfig {
  const config = {
    text,
    values,
    rowMode: "array",
    types: { getTypeParser: () => asText },
    queryMode: "extended",
  } as const;
  return config;
}

const asText = (value: string): string => value;

/** One connection pool for each DSN, with a count of its requests. */
class Pools {
  readonly #options: NeonProxyOptions;
  readonly #pools = new Map<string, CountedPool>();

  constructor(options: NeonProxyOptions) {
    this.#options = options;
  }

  of(connectionString: string): CountedPool {
    const known = this.#pools.get(connectionString);
    if (known) return known;
    const counted = this.#open(connectionString);
    this.#pools.set(connectionString, counted);
    return counted;
  }

  roundTrips(database: string | null): RoundTrips {
    const counted: RoundTrips = { total: 0, ofTenants: 0, byDatabase: {}, byApplication: {} };
    const { byDatabase, byApplication } = counted;
    for (const pool of this.#pools.values()) {
      if (database !== null && pool.database !== database) continue;
      counted.total += pool.roundTrips;
      counted.ofTenants += pool.ofTenants;
      byDatabase[pool.database] = (byDatabase[pool.database] ?? 0) + pool.roundTrips;
      byApplication[pool.application] = (byApplication[pool.application] ?? 0) + pool.roundTrips;
    }
    return counted;
  }

  resetRoundTrips(database: string | null): void {
    for (const pool of this.#pools.values()) {
      if (database !== null && pool.database !== database) continue;
      pool.roundTrips = 0;
      pool.ofTenants = 0;
    }
  }

  async release(database: string): Promise<void> {
    for (const [connectionString, counted] of this.#pools) {
      if (counted.database !== database) continue;
      this.#pools.delete(connectionString);
      await counted.pool.end();
    }
  }

  async end(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.end()));
    this.#pools.clear();
  }

  #open(connectionString: string): CountedPool {
    const url = parseConnectionString(connectionString);
    const { host, port, ssl } = this.#options.target;
    const application = url.searchParams.get("application_name") ?? "";
    const database = decodeURIComponent(url.pathname.slice(1));
    const pool = new Pool({
      host,
      port,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database,
      application_name: application,
      max: this.#options.connectionsMax ?? 20,
      idleTimeoutMillis: 10_000,
      pipeline: true,
      ...(ssl ? { ssl: true } : {}),
    });
    // Without listeners, a backend that dies while idle would end this process.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    const isObserver = application === OBSERVER_APPLICATION;
    return { pool, database, application, isObserver, roundTrips: 0, ofTenants: 0 };
  }
}

interface CountedPool {
  pool: Pool;
  database: string;
  application: string;
  isObserver: boolean;
  roundTrips: number;
  ofTenants: number;
}

/** Requests since the last reset. */
interface RoundTrips {
  total: number;
  /** The requests among them that set a tenant. Key lookups and work across tenants do not. */
  ofTenants: number;
  byDatabase: Record<string, number>;
  byApplication: Record<string, number>;
}

function parseConnectionString(connectionString: string): URL {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : null;
  const isPostgres = url?.protocol === "postgres:" || url?.protocol === "postgresql:";
  if (!url || !isPostgres || !url.username || !url.hostname || url.pathname.length < 2) {
    throw new RequestFault(400, "invalid connection string");
  }
  return url;
}

const databaseQuery = z.strictObject({ database: z.string().optional() });

/**
 * `/control/faults`: POST adds a fault, GET lists them, DELETE removes all or those of `?database=`.
 * `/control/round-trips`: GET returns the counts, DELETE resets them, both for all databases or for `?database=`.
 */
async function control({ request, response, pools, faults }: Exchange, path: string) {
  requireLocalProgram(request);
  const url = new URL(request.url ?? "/", "http://localhost");
  const { database } = databaseQuery.parse(Object.fromEntries(url.searchParams));
  switch (`${request.method} ${path}`) {
    case "POST /control/faults": {
      const fault = faultSchema.safeParse(JSON.parse(await readBody(request)));
      if (!fault.success) throw new RequestFault(400, fault.error.message);
      send(response, 201, faults.add(fault.data));
      return;
    }
    case "GET /control/faults":
      send(response, 200, faults.list());
      return;
    case "DELETE /control/faults":
      faults.clear(database);
      send(response, 204, null);
      return;
    case "GET /control/round-trips":
      send(response, 200, pools.roundTrips(database ?? null));
      return;
    case "DELETE /control/round-trips":
      pools.resetRoundTrips(database ?? null);
      send(response, 204, null);
      return;
    default:
      throw new RequestFault(404, "no such control endpoint");
  }
}

/** The port listens on loopback only. This also rejects requests from web pages in a local browser. */
function requireLocalProgram(request: IncomingMessage): void {
  const isLoopbackHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "");
  if (!isLoopbackHost || request.headers.origin !== undefined) {
    throw new RequestFault(403, "control endpoints accept only local programs");
  }
}

/** Neon's limit for requests and for responses. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) {
      throw new RequestFault(413, `request is too large (max is ${BODY_BYTES_MAX} bytes)`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = body === null ? null : Buffer.from(JSON.stringify(body));
  if (bytes && bytes.length > BODY_BYTES_MAX) {
    throw new RequestFault(507, `response is too large (max is ${BODY_BYTES_MAX} bytes)`);
  }
  response.writeHead(status, {
    ...headers,
    ...(bytes ? { "Content-Type": "application/json", "Content-Length": bytes.length } : {}),
    "Access-Control-Allow-Origin": "*",
    "Neon-Request-Id": randomUUID(),
  });
  response.end(bytes);
}
