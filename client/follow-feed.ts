import type { Stepledger } from "./connect.ts";
import { PAGE_MAX } from "./each-item.ts";
import type { Feed } from "./operations.ts";

/** One event of the feed, of a task or of an eval. */
export type FeedEvent = Feed["data"][number];

export interface FollowOptions {
  /** The cursor to continue after, or `now` for new events only. Default: the start of the feed. */
  after?: string | undefined;
  /** How long one call waits for new events. Default: 30. */
  waitSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Yields the pages of the feed without end. Every event appears once. To resume, store `nextCursor` together with the
 * results of processing its page, and pass it as `after`.
 */
export async function* followFeed(
  stepledger: Pick<Stepledger, "readFeed">,
  { after, waitSeconds = 30, signal }: FollowOptions = {},
): AsyncGenerator<Feed, void, undefined> {
  let cursor = after;
  for (;;) {
    // Do not wait at `now`: if that response were lost, the retry would start at a later time and miss events.
    const wait = cursor === "now" ? 0 : waitSeconds;
    const query = { after: cursor, wait, limit: PAGE_MAX };
    const page = await stepledger.readFeed({ query, signal });
    yield page;
    cursor = page.nextCursor;
  }
}
