import { pgSequence } from "drizzle-orm/pg-core";

/** One sequence orders both event streams for the feed. */
export const feedId = pgSequence("feed_id");
