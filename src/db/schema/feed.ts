import { pgSequence } from "drizzle-orm/pg-core";

/** Orders the events of both streams in the feed. */
export const feedId = pgSequence("feed_id");

/** Orders the log entries of each dispatch. */
export const dispatchEventPosition = pgSequence("dispatch_event_position");
