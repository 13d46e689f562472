import { type SQL, sql } from "drizzle-orm";
import type { AnalyticsEvent } from "../../domain/analytics.ts";
import type { Connections, DatabaseSettings } from "./driver.ts";
import { DatabaseUnavailable, faultOf, type QueryFault } from "./faults.ts";
import {
  callOf,
  type InputValue,
  type PreparedIdempotentWrite,
  type PreparedRead,
  type PreparedWrite,
} from "./prepared.ts";
import { insertOperation, operationQuery, releaseKey } from "./stored-operation.ts";
import { CHECK_CONSTRAINTS, scopeOf } from "./transaction.ts";

/** One call: its caller, its route, and the idempotency key that identifies a retry. */
export interface Operation {
  id: string;
  /** Names the credential of the caller, or the service itself. Events name the actor. */
  actorId: string;
  route: string;
  key: string | null;
  fingerprint: string;
}

/** The outcome of a write: done now, done by an earlier attempt, or still running in another request. */
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

/** Opens the database for a Worker's isolate. The first query loads the driver and connects. */
export function openDatabase(settings: DatabaseSettings): Database {
  let connections: Connections | undefined;
  return new Database(async () => {
    const { connect } = await import("./driver.ts");
    return (connections ??= connect(settings));
  });
}

/** The side effects outside the database that a committed write asks for. */
export interface Outgoing {
  /** The outbox has new dispatches. */
  dispatches: boolean;
  /** Webhooks have something to send: new events of tasks that they listen to, or new deliveries. */
  events: boolean;
  /** Bulk operations that a consumer has to continue. A duplicate does no harm. */
  operations: string[];
  /** Product events, which also go to the platform's analytics store. */
  analytics: AnalyticsEvent[];
  /** Seed runs that a consumer has to go on with, now or in so many seconds. A duplicate does no harm. */
  seedRuns: { runId: string; delaySeconds: number }[];
}

function nothingOutgoing(): Outgoing {
  return { dispatches: false, events: false, operations: [], analytics: [], seedRuns: [] };
}

/** One tenant's database for many calls that share their round trips. */
export interface JointDatabase {
  /** Returns a view whose writes have this planned time, or none if it is null. */
  at: (plannedAt: string | null) => TenantDatabase;
  /** The round trips of all views together, and how long they took. */
  readonly roundTrips: number;
  readonly durationMs: number;
  /** What the writes of all views ask for. */
  readonly outgoing: Outgoing;
}

export class Database {
  readonly #connect: Connect;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** Returns the view of one tenant's rows for one request. It counts the request's round trips. */
  forTenant(tenantId: string): TenantDatabase {
    return new TenantDatabase(this.#connect, tenantId);
  }

  /**
   * Returns one tenant's database for many calls of actions: those that are made at the same time share a round trip
   * and a transaction (./joint.ts). Each call is answered, retried and refused as if it had been sent by itself.
   */
  async jointly(tenantId: string): Promise<JointDatabase> {
    return this.forTenant(tenantId).jointly();
  }

  /**
   * Calls one of the functions that work across tenants. They run with their owner's rights, and are the only access to
   * more than one tenant's rows. Nothing is retried here: all of them are idempotent, and their callers run again.
   * @throws DatabaseFault if the statement was rejected.
   */
  async acrossTenants<Row>(call: SQL): Promise<Row[]> {
    try {
      const { query, render } = await this.#connect();
      // The caller's SQL determines the type of the rows.
      return (await query(render(call))) as Row[];
    } catch (thrown) {
      // The driver's message may contain bound parameters.
      throw faultOf(thrown).error;
    }
  }

  /**
   * Returns whether the database answers and can be written. It writes nothing itself. A standby is in recovery; a
   * database can also be set to read-only (`default_transaction_read_only`).
   */
  async ping(): Promise<boolean> {
    try {
      const [row] = await this.acrossTenants<{ isReadOnly: boolean }>(
        sql`select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "isReadOnly"`,
      );
      return row?.isReadOnly === false;
    } catch {
      return false;
    }
  }
}

/**
 * The database as one request sees it. Each call is one round trip and one transaction, and row-level security limits
 * it to the tenant. Only this class retries (docs/reliability.md).
 */
export class TenantDatabase {
  readonly tenantId: string;
  roundTrips = 0;
  durationMs = 0;
  /** Filled by the writes and read after the work. A sweep finds what gets lost in between. */
  readonly outgoing: Outgoing;
  /**
   * The planned time of what is written next, as an ISO string; null for the writers' clock. It has an effect only in a demo
   * tenant with a simulated clock. A time of a single row of a call overrides it.
   */
  plannedAt: string | null = null;
  readonly #connect: Connect;

  constructor(connect: Connect, tenantId: string, outgoing = nothingOutgoing()) {
    this.#connect = connect;
    this.tenantId = tenantId;
    this.outgoing = outgoing;
  }

  /**
   * Runs one statement and returns its rows.
   * @throws DatabaseUnavailable if no attempt succeeded; DatabaseFault if the statement was rejected.
   */
  async read<Row>(statement: SQL): Promise<Row[]> {
    const [rows] = await this.readAll<[Row]>([statement]);
    return rows;
  }

  /** Runs several statements in one round trip, on one snapshot, and returns the rows of each. */
  async readAll<Rows extends unknown[]>(statements: {
    [Index in keyof Rows]: SQL;
  }): Promise<{ [Index in keyof Rows]: Rows[Index][] }> {
    const batch = [scopeOf(this.tenantId), ...statements] as const;
    const [, ...results] = await retryUntilAnswered(() => this.#batch("read", batch));
    // One array of rows for each statement, in order. The caller's SQL determines the type of the rows.
    return results as { [Index in keyof Rows]: Rows[Index][] };
  }

  /** Runs a prepared statement and returns its rows. */
  async readPrepared<Row, Input extends string>(
    statement: PreparedRead<Input>,
    values: Readonly<Record<Input, InputValue>>,
  ): Promise<Row[]> {
    const call = callOf(statement, { ...values, tenant_id: this.tenantId });
    return retryUntilAnswered(() => this.#call<Row>(call));
  }

  /**
   * Records an operation and its effects in one transaction, and returns the rows of the last statement. An attempt
   * with an unknown outcome is retried under the same id, because the ledger then shows whether the first one
   * committed. The statements of `first` run before the ledger is asked for an earlier call, so that their refusal
   * also refuses a repeat.
   * @throws DatabaseUnavailable if no attempt succeeded; DatabaseFault if a statement was rejected.
   */
  write<Row>(
    operation: Operation,
    statements: readonly SQL[],
    { first = [] }: { first?: readonly SQL[] } = {},
  ): Promise<Written<Row>> {
    const batch = [
      scopeOf(this.tenantId, this.plannedAt),
      ...first,
      ...(operation.key === null ? [] : [releaseKey(operation)]),
      insertOperation(this.tenantId, operation),
      ...statements,
      CHECK_CONSTRAINTS,
    ] as const;
    return this.#once(operation, async () => {
      const results = await this.#batch("write", batch);
      return (results.at(-2) ?? []) as Row[];
    });
  }

  /** Like `write`, with a prepared statement, which inserts the operation itself. */
  writePrepared<Row, Input extends string>(
    operation: Operation,
    statement: PreparedWrite<Input>,
    values: Readonly<Record<Input, InputValue>>,
  ): Promise<Written<Row>> {
    const call = callOf(statement, {
      ...values,
      tenant_id: this.tenantId,
      operation_id: operation.id,
      ledger_actor: operation.actorId,
      route: operation.route,
      key: operation.key,
      fingerprint: operation.fingerprint,
    });
    return this.#once(operation, () => this.#call<Row>(call));
  }

  /**
   * Sends what an earlier attempt or an earlier call may have committed but not sent. What was sent already has no
   * effect, because every consumer expects duplicates.
   */
  sendAgain(): void {
    this.outgoing.dispatches = true;
    this.outgoing.events = true;
  }

  /** Retries until the operation is known to be recorded, by this call or by an earlier attempt. */
  async #once<Row>(operation: Operation, record: () => Promise<Row[]>): Promise<Written<Row>> {
    const attempts = new Attempts();
    for (;;) {
      try {
        return { outcome: "written", rows: await record() };
      } catch (thrown) {
        const fault = faultOf(thrown);
        if (fault.kind === "operation_running") return { outcome: "in_progress" };
        // If the conflicting row is already gone, it belonged to an attempt that wrote nothing: try again.
        const isRepeat = fault.kind === "operation_exists";
        const stored = isRepeat ? await this.findOperation(operation) : null;
        // We no longer know what it wrote, so wake every consumer.
        if (stored?.id === operation.id) this.sendAgain();
        if (stored) return { outcome: "replayed", operation: stored };
        await attempts.nextAfter(fault);
      }
    }
  }

  /**
   * Runs an idempotent write, which needs no operation. Its statements are one transaction; returns the rows of the
   * last.
   * @throws DatabaseUnavailable if no attempt succeeded; DatabaseFault if a statement was rejected.
   */
  async writeIdempotently<Row>(...statements: [SQL, ...SQL[]]): Promise<Row[]> {
    const batch = [
      scopeOf(this.tenantId, this.plannedAt),
      ...statements,
      CHECK_CONSTRAINTS,
    ] as const;
    const results = await retryUntilAnswered(() => this.#batch("write", batch));
    return (results.at(-2) ?? []) as Row[];
  }

  /** Like `writeIdempotently`, with a prepared statement. */
  writePreparedIdempotently<Row, Input extends string>(
    statement: PreparedIdempotentWrite<Input>,
    values: Readonly<Record<Input, InputValue>>,
  ): Promise<Row[]> {
    return this.readPrepared<Row, Input>(statement, values);
  }

  /**
   * Returns this tenant's database for many calls of actions (`Database.jointly`). Their round trips and what they ask for
   * count as this view's.
   */
  async jointly(): Promise<JointDatabase> {
    const { JointConnections } = await import("./joint.ts");
    const { tenantId, outgoing } = this;
    const { render, query, read, write } = await this.#connect();
    const counted = {
      render,
      query,
      read: (queries) => this.#timed(() => read(queries)),
      write: (queries) => this.#timed(() => write(queries)),
    } satisfies Connections;
    const connections = new JointConnections(counted, tenantId);
    return {
      at: (plannedAt) => {
        const connect = async () => connections.at(view.plannedAt);
        const view = new TenantDatabase(connect, tenantId, outgoing);
        view.plannedAt = plannedAt;
        return view;
      },
      get roundTrips() {
        return connections.roundTrips;
      },
      get durationMs() {
        return connections.durationMs;
      },
      outgoing,
    };
  }

  /** Returns the ledger's row for this operation, by its id or by its idempotency key; null if there is none. */
  async findOperation(operation: Operation): Promise<OperationRecord | null> {
    const [stored] = await this.read<OperationRecord>(operationQuery(operation));
    return stored ?? null;
  }

  async #call<Row>(call: ReturnType<typeof callOf>): Promise<Row[]> {
    const { query } = await this.#connect();
    // The prepared statement determines the type of the rows.
    return this.#timed(() => query(call) as Promise<Row[]>);
  }

  async #batch(send: "read" | "write", statements: readonly SQL[]): Promise<unknown[][]> {
    const { render, [send]: sendBatch } = await this.#connect();
    return this.#timed(() => sendBatch(statements.map(render)));
  }

  async #timed<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    this.roundTrips += 1;
    const startedAt = performance.now();
    try {
      return await send();
    } finally {
      this.durationMs += performance.now() - startedAt;
    }
  }
}

/** Retries an idempotent call until the database answers. */
async function retryUntilAnswered<Answer>(send: () => Promise<Answer>): Promise<Answer> {
  const attempts = new Attempts();
  for (;;) {
    try {
      return await send();
    } catch (thrown) {
      await attempts.nextAfter(faultOf(thrown));
    }
  }
}

const ATTEMPTS_MAX = 5;
/** No attempt starts later than this: after that, an error that the caller can retry is more useful. */
const RETRY_MS_MAX = 15_000;

/**
 * The attempts of one call, with full jitter over 20, 40, 80, 160 ms (Brooker, "Exponential Backoff and Jitter", 2015).
 */
class Attempts {
  #started = 1;
  /** Whether any of them may have committed. */
  #isCommitUnknown = false;
  readonly #startedAt = performance.now();

  /**
   * Waits until the next attempt.
   * @throws DatabaseUnavailable if there is none left, or none would help; the fault's own error if it is no outage.
   */
  async nextAfter({ kind, outage, error }: QueryFault): Promise<void> {
    this.#isCommitUnknown ||= outage.isCommitUnknown;
    if (kind === "rejected" || kind === "defect") throw error;
    const isLast =
      this.#started === ATTEMPTS_MAX || performance.now() - this.#startedAt > RETRY_MS_MAX;
    if (isLast || kind === "unavailable") {
      const isCommitUnknown = this.#isCommitUnknown;
      throw new DatabaseUnavailable("The database did not answer", { ...outage, isCommitUnknown });
    }
    const milliseconds = Math.random() * 20 * 2 ** (this.#started - 1);
    this.#started += 1;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}
