import type { Guard } from "./guard.ts";

/** Guards of the reads of the feed. */
export const FEED_GUARDS: readonly Guard[] = [
  {
    name: "feed-settled",
    prevents: "A reader of the feed passes over an event that commits late.",
    file: "src/db/history/feed.ts",
    text: "  where txid < pg_snapshot_xmin(pg_current_snapshot())\n)\nselect feed",
    without: "  where true\n)\nselect feed",
    test: "test/proofs/feed.test.ts",
    fails:
      "waits for a writer that has not committed, and then shows everything that came after it",
  },
];
