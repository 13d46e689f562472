import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  FEED_BEGINNING,
  type FeedPlace,
  type FeedRecord,
  readFeed,
  readFeedEnd,
} from "../../db/history/feed.ts";
import { succeed, type Outcome, type Refusal, refuse } from "../../domain/refusals.ts";

/** A position in the feed of one database. */
export interface FeedCursor extends FeedPlace {
  generation: string;
}

/** The rows after a cursor. `next` is the cursor to continue from. */
export interface FeedRead {
  rows: readonly FeedRecord[];
  next: FeedCursor;
  caughtUp: boolean;
}

/** Where to start reading: at the beginning, at the present end, or after a cursor. */
export type FeedStart = FeedCursor | "beginning" | "now";

interface Reading {
  database: TenantDatabase;
  limit: number;
  /** Aborted when the reader disconnects. */
  signal: AbortSignal;
  /** Returns a refusal once the reader is no longer admitted. */
  checkCaller: () => Promise<Refusal | null>;
}

const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 2000;

/**
 * Reads the next page of the feed. If it is empty, polls with increasing pauses until there are rows, `waitMs` is over
 * or the reader disconnects.
 */
export async function pollFeed(
  reading: Reading,
  start: FeedStart,
  waitMs: number,
): Promise<Outcome<FeedRead>> {
  const { database, limit, signal, checkCaller } = reading;
  if (start === "now") {
    const next = await presentEnd(database);
    if (waitMs <= 0) return succeed({ rows: [], next, caughtUp: true });
    return pollFeed(reading, next, waitMs);
  }
  const after = start === "beginning" ? null : start;
  const until = performance.now() + waitMs;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const { generation, rows, caughtUp } = await readFeed(database, { after, limit });
    if (after !== null && after.generation !== generation) return refuse(WRONG_DATABASE);
    const leftMs = until - performance.now();
    if (rows.length > 0 || leftMs <= 0 || signal.aborted) {
      const place = rows.at(-1)?.place ?? after ?? FEED_BEGINNING;
      return succeed({ rows, next: { ...place, generation }, caughtUp });
    }
    await pause(Math.min(pauseMs, leftMs), signal);
    const refusal = await checkCaller();
    if (refusal !== null) return refuse(refusal);
  }
}

/** How often an idle reader gets an empty page, to show that the connection is alive. */
const HEARTBEAT_MS = 15_000;
/** A Worker request may send 1,000 subrequests. The stream ends before that, and the reader reconnects. */
const ROUND_TRIPS_MAX = 900;

/**
 * Yields the first page and then the pages after it, until `waitMs` is over or the reader disconnects. Yields an empty
 * page as a heartbeat if there are no new rows. Returns the refusal that ended it, if the reader is no longer admitted.
 */
export async function* followFeed(
  reading: Reading,
  first: FeedRead,
  waitMs: number,
): AsyncGenerator<FeedRead, Refusal | null> {
  const until = performance.now() + waitMs;
  let read = first;
  for (;;) {
    yield read;
    const leftMs = until - performance.now();
    const isOver = leftMs <= 0 && (read.caughtUp || read.rows.length === 0);
    const isSpent = reading.database.roundTrips >= ROUND_TRIPS_MAX;
    if (isOver || isSpent || reading.signal.aborted) return null;
    const refusal = await reading.checkCaller();
    if (refusal !== null) return refusal;
    const outcome = await pollFeed(reading, read.next, Math.min(leftMs, HEARTBEAT_MS));
    if (!outcome.ok) return outcome.refusal;
    read = outcome.value;
  }
}

async function presentEnd(database: TenantDatabase): Promise<FeedCursor> {
  const { generation, place } = await readFeedEnd(database);
  return { ...place, generation };
}

const WRONG_DATABASE = {
  code: "invalid_cursor",
  detail: "The cursor belongs to a different database. Start again from the beginning.",
} as const;

/** Waits for the time given, or until the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
