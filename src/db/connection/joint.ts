import type { Query } from "drizzle-orm";
import type { Connections, SendBatch } from "./driver.ts";
import { faultOf, type Outage } from "./faults.ts";
import { DEFER_CONSTRAINTS, scopeOf } from "./transaction.ts";

/**
 * How much one transaction takes. A write takes a few milliseconds, so 100 of them end well within the statement timeout,
 * which also limits the request, and hold their locks for less than the second that other calls wait for one. The
 * bytes count the texts and values of the statements; Neon takes requests of up to 64 MB.
 */
const TRANSACTION_MAX = { calls: 100, bytes: 4_000_000 };

/** Connections whose calls share transactions: reads with reads, writes with writes and prepared statements. */
export class JointConnections {
  roundTrips = 0;
  durationMs = 0;
  readonly #connections: Connections;
  readonly #tenantId: string;
  readonly #reads = new SharedTransactions((queries) => this.#timed("read", queries));
  readonly #writes = new SharedTransactions((queries) => this.#timed("write", queries));

  constructor(connections: Connections, tenantId: string) {
    this.#connections = connections;
    this.#tenantId = tenantId;
  }

  /** Returns the connections of calls whose writes have this planned time. */
  at(plannedAt: string | null): Connections {
    const { render } = this.#connections;
    // What the call before has set lasts until the commit: its planned time, and that constraints are checked at once.
    const opening = [scopeOf(this.#tenantId, plannedAt ?? ""), DEFER_CONSTRAINTS].map(render);
    const write: SendBatch = async (queries) => {
      const results = await this.#writes.send([...opening, ...queries]);
      return results.slice(opening.length);
    };
    return {
      render,
      read: (queries) => this.#reads.send(queries),
      write,
      query: async (query) => (await write([query])).flat(),
    };
  }

  async #timed(send: "read" | "write", queries: readonly Query[]): Promise<unknown[][]> {
    this.roundTrips += 1;
    const startedAt = performance.now();
    try {
      return await this.#connections[send](queries);
    } finally {
      this.durationMs += performance.now() - startedAt;
    }
  }
}

/** A call that waits for its transaction. */
interface WaitingCall {
  queries: readonly Query[];
  bytes: number;
  answer: (results: unknown[][]) => void;
  fail: (error: unknown) => void;
}

/** What became of a call: the rows of each of its statements, or its error. */
type Outcome = { results: unknown[][] } | { error: unknown };

/** Sends the calls that wait as one transaction after another, so that they never wait for each other's locks. */
class SharedTransactions {
  readonly #send: SendBatch;
  readonly #waiting: WaitingCall[] = [];
  #isSending = false;

  constructor(send: SendBatch) {
    this.#send = send;
  }

  /** Sends statements together with those of other calls, and returns the rows of each. */
  send(queries: readonly Query[]): Promise<unknown[][]> {
    return new Promise((answer, fail) => {
      this.#waiting.push({ queries, bytes: bytesOf(queries), answer, fail });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (;;) {
      await everyCallerHasCalled();
      const calls = this.#take();
      if (calls.length === 0) break;
      const outcomes = await this.#outcomesOf(calls);
      // All at once, also those that were sent one by one, so that the next calls of their callers meet again.
      for (const [index, outcome] of outcomes.entries()) {
        if ("error" in outcome) calls[index]?.fail(outcome.error);
        else calls[index]?.answer(outcome.results);
      }
    }
    this.#isSending = false;
  }

  /** Takes the calls of the next transaction, at least one if any waits. */
  #take(): WaitingCall[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((call, index) => {
      bytes += call.bytes;
      return index > 0 && (index === TRANSACTION_MAX.calls || bytes > TRANSACTION_MAX.bytes);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /**
   * Sends calls as one transaction. If it fails, they are sent in parts, down to single calls, until each has an answer or
   * an error of its own.
   */
  async #outcomesOf(calls: readonly WaitingCall[]): Promise<Outcome[]> {
    try {
      const results = await this.#send(calls.flatMap(({ queries }) => queries));
      let sent = 0;
      return calls.map(({ queries }) => ({
        results: results.slice(sent, (sent += queries.length)),
      }));
    } catch (error) {
      if (calls.length === 1) return [{ error }];
      const { kind, outage } = faultOf(error);
      // If one was recorded earlier, probably all were, by a transaction whose answer got lost. Any other error is about
      // one call, or passes: halves find that out in few round trips.
      const size = kind === "operation_exists" ? 1 : Math.ceil(calls.length / 2);
      const outcomes: Outcome[] = [];
      while (outcomes.length < calls.length) {
        const part = calls.slice(outcomes.length, outcomes.length + size);
        outcomes.push(...(await this.#outcomesOf(part)));
        const last = outcomes.at(-1);
        // The database does not answer, so the other calls get the same error. Their callers retry.
        if (last !== undefined && outageOf(last)?.isCommitUnknown === true) {
          outcomes.push(...calls.slice(outcomes.length).map(() => last));
        }
      }
      // A call that found no answer afterwards still may have been recorded by this transaction.
      return outage.isCommitUnknown
        ? outcomes.map((outcome) => (outageOf(outcome) === null ? outcome : { error }))
        : outcomes;
    }
  }
}

/** Returns what is known about the outage that ended a call; null if it was answered or refused. */
function outageOf(outcome: Outcome): Outage | null {
  if (!("error" in outcome)) return null;
  const { kind, outage } = faultOf(outcome.error);
  return kind === "retry" || kind === "unavailable" ? outage : null;
}

/**
 * Waits until the callers that were just answered have made their next calls. They continue in microtasks, any number of
 * them one after another, and timers run after the last one, in Node and in workerd.
 */
function everyCallerHasCalled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** An estimate: it counts UTF-16 units. */
function bytesOf(queries: readonly Query[]): number {
  return queries.reduce(
    (bytes, { sql, params }) =>
      params.reduce<number>((sum, value) => sum + String(value).length, bytes + sql.length),
    0,
  );
}
