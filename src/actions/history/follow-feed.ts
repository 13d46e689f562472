import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  FEED_BEGINNING,
  type FeedPlace,
  type FeedRecord,
  readFeed,
  readFeedEnd,
} from "../../db/history/feed.ts";
import { succeed, type Outcome, refuse } from "../../domain/refusals.ts";

/** A place in the feed of one database. */
export interface FeedCursor extends FeedPlace {
  generation: string;
}

/** What was found after a cursor; `next` goes on behind it. */
export interface FeedRead {
  rows: readonly FeedRecord[];
  next: FeedCursor;
  caughtUp: boolean;
}

/** Where a reader of the feed stands: at its beginning, at what is written from now on, or behind a cursor. */
export type FeedStart = FeedCursor | "beginning" | "now";

interface Reading {
  database: TenantDatabase;
  limit: number;
  /** Aborted when nobody reads any more. */
  signal: AbortSignal;
}

const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 2000;

/**
 * Reads on in the feed. Where there is nothing, it looks again, more and more rarely, until there is something, the
 * time is up, or the reader has gone.
 */
export async function readOn(
  reading: Reading,
  start: FeedStart,
  waitMs: number,
): Promise<Outcome<FeedRead>> {
  const { database, limit, signal } = reading;
  if (start === "now") {
    const next = await presentEnd(database);
    if (waitMs <= 0) return succeed({ rows: [], next, caughtUp: true });
    return readOn(reading, next, waitMs);
  }
  const after = start === "beginning" ? null : start;
  const until = performance.now() + waitMs;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const { generation, rows, caughtUp } = await readFeed(database, { after, limit });
    if (after !== null && after.generation !== generation) return refuse(OF_ANOTHER_DATABASE);
    const leftMs = until - performance.now();
    if (rows.length > 0 || leftMs <= 0 || signal.aborted) {
      const place = rows.at(-1)?.place ?? after ?? FEED_BEGINNING;
      return succeed({ rows, next: { ...place, generation }, caughtUp });
    }
    await pause(Math.min(pauseMs, leftMs), signal);
  }
}

/** An idle reader is told so often that it is still connected. */
const HEARTBEAT_MS = 15_000;
/** A Worker's request may go out a thousand times; the reader comes again before that. */
const ROUND_TRIPS_MAX = 900;

/**
 * Goes on behind what was read until the time is up or the reader has gone. Where nothing happens for long, what it
 * yields is empty.
 */
export async function* followFeed(
  reading: Reading,
  begun: FeedRead,
  waitMs: number,
): AsyncGenerator<FeedRead, void> {
  const until = performance.now() + waitMs;
  let read = begun;
  for (;;) {
    yield read;
    const leftMs = until - performance.now();
    const isOver = leftMs <= 0 && (read.caughtUp || read.rows.length === 0);
    const isSpent = reading.database.roundTrips >= ROUND_TRIPS_MAX;
    if (isOver || isSpent || reading.signal.aborted) return;
    const outcome = await readOn(reading, read.next, Math.min(leftMs, HEARTBEAT_MS));
    if (!outcome.ok) throw new Error("The database became another one while it was read");
    read = outcome.value;
  }
}

async function presentEnd(database: TenantDatabase): Promise<FeedCursor> {
  const { generation, place } = await readFeedEnd(database);
  return { ...place, generation };
}

const OF_ANOTHER_DATABASE = {
  code: "invalid_cursor",
  detail: "The cursor was made by another database than the one that answers; begin again.",
} as const;

/** Waits, but no longer than somebody waits with it. */
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
