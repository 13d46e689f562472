import { type SQL, sql } from "drizzle-orm";
import type { AnalyticsEvent } from "../../domain/analytics.ts";
import type { Connections, DatabaseSettings } from "./driver.ts";
import { DatabaseUnavailable, faultOf } from "./faults.ts";
import { callOf, type InputValue, type PreparedRead, type PreparedWrite } from "./prepared.ts";
import {
  CHECK_PROMISES,
  insertOperation,
  operationQuery,
  releaseKey,
  scopeOf,
} from "./transaction.ts";

/** Who calls, through which route, and the key under which a repeat is found. */
export interface Operation {
  id: string;
  actorId: string;
  route: string;
  key: string | null;
  fingerprint: string;
}

/** What became of a write: done now; found done by an earlier try; or still under way elsewhere. */
export type Written<Row> =
  | { outcome: "written"; rows: Row[] }
  | { outcome: "replayed"; operation: OperationRecord }
  | { outcome: "in_progress" };

export interface OperationRecord {
  id: string;
  fingerprint: string;
  result: unknown;
}

type Connect = () => Promise<Connections>;

/** Opens the database for a Worker's isolate; nothing connects, nor is the driver loaded, before the first query. */
export function openDatabase(settings: DatabaseSettings): Database {
  let connections: Connections | undefined;
  return new Database(async () => {
    const { connect } = await import("./driver.ts");
    return (connections ??= connect(settings));
  });
}

/** What a write leaves to be told outside the database, once it is committed. */
export interface Outgoing {
  /** Dispatches were put into the outbox. */
  dispatches: boolean;
  /** Tasks have new events, and the tenant has webhooks that listen. */
  events: boolean;
  /** Bulk operations that a consumer is to go on with. */
  operations: string[];
  /** Product events, for the platform's store of them beside the table. */
  analytics: AnalyticsEvent[];
}

export class Database {
  readonly #connect: Connect;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** A view of one tenant's rows, for one request: it counts that request's round trips. */
  forTenant(tenantId: string): TenantDatabase {
    return new TenantDatabase(this.#connect, tenantId);
  }

  /**
   * Calls one of the functions that work across tenants, with their owner's right: the only way to more than one
   * tenant's rows. Each may be called again at any time, and a caller that failed is.
   */
  async acrossTenants<Row>(call: SQL): Promise<Row[]> {
    try {
      const { writer } = await this.#connect();
      const { rows } = await writer.execute(call);
      // What is in the rows is the caller's SQL to say.
      return rows as Row[];
    } catch (thrown) {
      // The driver's own message may hold bound parameters.
      throw faultOf(thrown).error;
    }
  }

  /** Answers whether the database can be reached at all. */
  async ping(): Promise<boolean> {
    try {
      const { reader } = await this.#connect();
      await reader.execute(sql`select 1`);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * All that a request may do to the database. Each call is one round trip and one transaction, scoped to the
 * tenant by row security. Retries live here and nowhere else (reliability.md, section 2).
 */
export class TenantDatabase {
  readonly tenantId: string;
  roundTrips = 0;
  durationMs = 0;
  /** Filled by the writes, read once the work is done. What is lost on the way a sweep finds. */
  readonly outgoing: Outgoing = { dispatches: false, events: false, operations: [], analytics: [] };
  readonly #connect: Connect;

  constructor(connect: Connect, tenantId: string) {
    this.#connect = connect;
    this.tenantId = tenantId;
  }

  /**
   * Runs one statement and returns its rows.
   * @throws DatabaseUnavailable when no try got through; DatabaseFault when the statement was refused.
   */
  async read<Row>(statement: SQL): Promise<Row[]> {
    const [rows] = await this.readAll<[Row]>([statement]);
    return rows;
  }

  /** Runs several statements in one round trip, on one snapshot; returns the rows of each. */
  async readAll<Rows extends unknown[]>(statements: {
    [Index in keyof Rows]: SQL;
  }): Promise<{ [Index in keyof Rows]: Rows[Index][] }> {
    const batch = [scopeOf(this.tenantId), ...statements] as const;
    const [, ...results] = await untilAnswered(() => this.#batch("reader", batch));
    // One array of rows for each statement, in order; what is in them is the caller's SQL to say.
    return results as { [Index in keyof Rows]: Rows[Index][] };
  }

  /** Runs a statement that the database has prepared, and returns its rows. */
  async readPrepared<Row, Input extends string>(
    statement: PreparedRead<Input>,
    values: Readonly<Record<Input, InputValue>>,
  ): Promise<Row[]> {
    const call = callOf(statement, { ...values, tenant_id: this.tenantId });
    return untilAnswered(() => this.#call<Row>(call));
  }

  /**
   * Records an operation and its effects in one transaction; the rows are those of the last statement. A try
   * whose outcome is unknown is repeated under the same id, so that the ledger tells whether it committed.
   * @throws DatabaseUnavailable when no try got through; DatabaseFault when a statement was refused.
   */
  write<Row>(operation: Operation, statements: readonly SQL[]): Promise<Written<Row>> {
    const batch = [
      scopeOf(this.tenantId),
      ...(operation.key === null ? [] : [releaseKey(operation)]),
      insertOperation(this.tenantId, operation),
      ...statements,
      CHECK_PROMISES,
    ] as const;
    return this.#once(operation, async () => {
      const results = await this.#batch("writer", batch);
      return (results.at(-2) ?? []) as Row[];
    });
  }

  /** The same by a statement that the database has prepared: it begins the operation itself. */
  writePrepared<Row, Input extends string>(
    operation: Operation,
    statement: PreparedWrite<Input>,
    values: Readonly<Record<Input, InputValue>>,
  ): Promise<Written<Row>> {
    const call = callOf(statement, {
      ...values,
      tenant_id: this.tenantId,
      operation_id: operation.id,
      actor_id: operation.actorId,
      route: operation.route,
      key: operation.key,
      fingerprint: operation.fingerprint,
    });
    return this.#once(operation, () => this.#call<Row>(call));
  }

  /** Tries to record an operation until it is known to be recorded, or to have been before. */
  async #once<Row>(operation: Operation, record: () => Promise<Row[]>): Promise<Written<Row>> {
    const tries = new Tries();
    for (;;) {
      try {
        return { outcome: "written", rows: await record() };
      } catch (thrown) {
        const { kind, error } = faultOf(thrown);
        if (kind === "defect" || kind === "final") throw error;
        if (kind === "operation_running") return { outcome: "in_progress" };
        // A row that stood in the way and is gone by now was of a try that wrote nothing: go on.
        const stored = kind === "operation_exists" ? await this.findOperation(operation) : null;
        // What it wrote is not known any more: whoever it may concern looks.
        if (stored?.id === operation.id) {
          this.outgoing.dispatches = true;
          this.outgoing.events = true;
        }
        if (stored) return { outcome: "replayed", operation: stored };
        await tries.next();
      }
    }
  }

  /**
   * Runs a write that does nothing more when it is repeated, and so needs no operation to be found by. Its statements
   * are one transaction; the rows are those of the last.
   * @throws DatabaseUnavailable when no try got through; DatabaseFault when a statement was refused.
   */
  async writeIdempotently<Row>(...statements: [SQL, ...SQL[]]): Promise<Row[]> {
    const batch = [scopeOf(this.tenantId), ...statements, CHECK_PROMISES] as const;
    const results = await untilAnswered(() => this.#batch("writer", batch));
    return (results.at(-2) ?? []) as Row[];
  }

  /** The ledger's row for this operation: by its id, or by the key that its caller gave. */
  async findOperation(operation: Operation): Promise<OperationRecord | null> {
    const [stored] = await this.read<OperationRecord>(operationQuery(operation));
    return stored ?? null;
  }

  async #call<Row>({ text, values }: ReturnType<typeof callOf>): Promise<Row[]> {
    const { query } = await this.#connect();
    // What is in the rows is the prepared statement's to say.
    return this.#timed(() => query(text, values) as Promise<Row[]>);
  }

  async #batch(
    connection: "reader" | "writer",
    [first, ...rest]: readonly [SQL, ...SQL[]],
  ): Promise<unknown[][]> {
    const database = (await this.#connect())[connection];
    const results = await this.#timed(() =>
      database.batch([
        database.execute(first),
        ...rest.map((statement) => database.execute(statement)),
      ]),
    );
    return results.map(({ rows }) => rows);
  }

  async #timed<Answer>(ask: () => PromiseLike<Answer>): Promise<Answer> {
    this.roundTrips += 1;
    const startedAt = performance.now();
    try {
      return await ask();
    } finally {
      this.durationMs += performance.now() - startedAt;
    }
  }
}

/** Repeats what does no more when it is repeated, until the database has answered it. */
async function untilAnswered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const tries = new Tries();
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      const { kind, error } = faultOf(thrown);
      if (kind === "defect" || kind === "final") throw error;
      await tries.next();
    }
  }
}

const TRIES_MAX = 5;
/** No further try begins after this long: a caller would rather know that it must come again. */
const TRYING_MS_MAX = 15_000;

/** The tries of one call: full jitter over 20, 40, 80, 160 ms (Brooker, "Exponential Backoff and Jitter", 2015). */
class Tries {
  #made = 1;
  readonly #startedAt = performance.now();

  /**
   * Waits until the next try.
   * @throws DatabaseUnavailable when there is to be none.
   */
  async next(): Promise<void> {
    if (this.#made === TRIES_MAX || performance.now() - this.#startedAt > TRYING_MS_MAX) {
      throw new DatabaseUnavailable("The database did not answer");
    }
    const milliseconds = Math.random() * 20 * 2 ** (this.#made - 1);
    this.#made += 1;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}
