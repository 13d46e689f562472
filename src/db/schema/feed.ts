import { pgSequence } from "drizzle-orm/pg-core";

/** One sequence orders both event streams for the feed. */
export const feedId = pgSequence("feed_id");

/** Orders the log of each dispatch. */
export const dispatchEventPosition = pgSequence("dispatch_event_position");
