import type { JointDatabase, Operation } from "../../db/connection/client.ts";
import type { SeedTexts } from "../../domain/seed/texts.ts";

/**
 * How work on a run ended: there is more to do now, or at a later time, or nothing; it came a moment too early; or other
 * work is in progress. The first two ask for the next message (`outgoing`): the work that sets a tick asks for the message
 * of that tick, and no other does. So exactly one message of a run is on its way, however many arrive.
 */
export type SeedWork =
  | { is: "unfinished" }
  | { is: "waiting"; seconds: number }
  | { is: "early"; seconds: number }
  | { is: "idle" }
  | { is: "busy" };

/** One piece of work on a run, and what it may cost. */
export interface Work {
  joint: JointDatabase;
  texts: SeedTexts;
  requestId: string;
  holder: string;
  roundTripsMax: number;
}

/** The most rows in one statement. More would make its transaction long. */
export const ROWS_MAX = 500;

/** An operation of a run. Its id is derived, so a repeat of the call finds it in the ledger. */
export function operationOf(runId: string, id: string): Operation {
  return { id, actorId: `seed:${runId}`, route: "seed", key: null, fingerprint: "" };
}
