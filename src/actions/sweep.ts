import type { Database } from "../db/client.ts";
import { relayDispatches } from "./relay-dispatches.ts";
import type { Queues } from "./send-outgoing.ts";

/** What a sweep found to do. */
export interface SweptWork {
  dispatches: number;
}

/**
 * The slow net under everything that leaves the database as a message: finds what was lost on the way and sends it
 * again. It may miss any run, and overlap itself.
 */
export async function sweep({
  database,
  queues,
}: {
  database: Database;
  queues: Queues;
}): Promise<SweptWork> {
  return { dispatches: await relayDispatches({ database, queue: queues.dispatch }) };
}
