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
  /** The Postgres that stands behind every DSN, whatever host the DSN names. */
  target: { host: string; port: number; ssl?: boolean };
  port?: number;
  /** Connections at the most for one DSN. */
  connectionsMax?: number;
  /** Every request, and whatever a session sends at once, waits so long first: a database that is far away. */
  delayMilliseconds?: number;
  /** Sees each statement that comes over HTTP before the database does, and may put another in its place. */
  rewrite?: (statement: Statement) => Statement;
}

/** A local stand-in for Neon's HTTP and WebSocket endpoint, which also counts and breaks. */
export interface NeonProxy {
  /** `http://127.0.0.1:PORT`: the control endpoints lie under `/control`. */
  url: string;
  /** What NEON_FETCH_ENDPOINT wants. */
  fetchEndpoint: string;
  port: number;
  /** Drops the idle connections to a database, so that it can be removed or used as a template. */
  releaseDatabase: (database: string) => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Connections of this application name look on: they are neither counted nor struck by faults. Tests read the
 * tables through them while the product is being broken.
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
  // A Worker keeps its connections; closing them under it would look like a fault of the database.
  server.keepAliveTimeout = 120_000;

  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { host, port } = options.target;
      // After the upgrade it is the raw Postgres protocol; either end closes the other.
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

/** Hands on what it gets, in order, each piece so much later: pieces that come together stay together. */
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
    // No SQLSTATE: the connection itself failed, and what became of the statements is unknown.
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
  const asked = parseRequest(request.headers, await readBody(request));
  const sql = { ...asked, statements: asked.statements.map(rewrite) };
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
    send(response, 400, renderError({ message: "refused on demand", code: fault.code }));
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
  if (statement === undefined) throw new Error("There are more results than statements");
  return statement;
}

async function delay(struck: readonly Fault[], always: number): Promise<void> {
  const total = struck.reduce((sum, { delayMilliseconds }) => sum + delayMilliseconds, always);
  if (total > 0) await new Promise((resolve) => setTimeout(resolve, total));
}

/**
 * Runs one statement by itself, or a batch as one transaction. All statements are sent at once and answered in
 * order; after an error Postgres skips the rest, and turns the COMMIT into a rollback. Each is parsed anew, as Neon
 * does: named statements would keep plans across migrations and hide what a pooled connection forbids.
 */
async function execute(
  pool: Pool,
  { isBatch, statements, batch }: SqlRequest,
  isRolledBack: boolean,
): Promise<QueryArrayResult[]> {
  const client = await pool.connect();
  const inTransaction = isBatch || isRolledBack;
  const sent: Promise<QueryResult>[] = [];
  if (inTransaction) sent.push(client.query(beginStatement(batch)));
  const asked = statements.map(({ query, values }) => client.query(extended(query, values)));
  if (inTransaction) asked.push(client.query(isRolledBack ? "ROLLBACK" : "COMMIT"));
  const settled = await Promise.allSettled([...sent, ...asked]);

  const failed = settled.find((outcome) => outcome.status === "rejected");
  const isLost = failed !== undefined && !isRefusal(failed.reason);
  // A connection in a state that the next request did not ask for is closed, not reused.
  client.release(isLost || client.getTransactionStatus() !== "I");
  if (failed) throw failed.reason;
  return Promise.all(asked.slice(0, statements.length));
}

/** Whether Postgres refused a statement and kept the connection. */
function isRefusal(reason: unknown): boolean {
  return reason instanceof DatabaseError && !["FATAL", "PANIC"].includes(reason.severity ?? "");
}

/** Raw text rows by the extended protocol, which takes one statement only, like Neon's endpoint. */
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

/** One pool for each DSN, with the count of its requests. */
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
    // A backend that dies while nobody waits for it would otherwise end this process.
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
  /** Of these, those in the scope of a tenant: not those that look a key up, or work for all. */
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
 * `/control/faults`: POST adds one, GET lists, DELETE removes all or those of `?database=`.
 * `/control/round-trips`: GET counts, DELETE sets back to nought, each for all or for `?database=`.
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
      throw new RequestFault(404, "there is no such control");
  }
}

/** The port is open to loopback alone; this keeps web pages that run on the same machine out as well. */
function requireLocalProgram(request: IncomingMessage): void {
  const isLoopbackHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "");
  if (!isLoopbackHost || request.headers.origin !== undefined) {
    throw new RequestFault(403, "controls are for programs on this machine");
  }
}

/** Neon's own limit for requests and for answers. */
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
