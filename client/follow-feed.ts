import type { Stepledger } from "./connect.ts";
import type { Feed } from "./operations.ts";

const PAGE_MAX = 200;

/** One event of the feed: of a task or of an eval. */
export type FeedEvent = Feed["data"][number];

export interface FollowOptions {
  /** Where to go on; `now` for what is written from now on. Without it, at the very beginning. */
  after?: string | undefined;
  /** How long one call waits for something: 30 when not said. */
  waitSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The feed, page by page and without an end: every event once. Keep `nextCursor` with what was made of the page, and
 * give it as `after` to go on there.
 */
export async function* followFeed(
  stepledger: Pick<Stepledger, "readFeed">,
  { after, waitSeconds = 30, signal }: FollowOptions = {},
): AsyncGenerator<Feed, void, undefined> {
  let place = after;
  for (;;) {
    // "Now" is not waited at: were that answer lost, the repeat would begin at a later now.
    const wait = place === "now" ? 0 : waitSeconds;
    const query = { after: place, wait, limit: PAGE_MAX };
    const page = await stepledger.readFeed({ query, signal });
    yield page;
    place = page.nextCursor;
  }
}
