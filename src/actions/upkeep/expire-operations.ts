import type { Database } from "../../db/connection/client.ts";
import { deleteExpired } from "../../db/ledger/operations.ts";

/** What one call takes, so that it holds its locks for a moment alone. */
const ROWS_MAX = 5000;
/** A Worker may make only so many calls; what is left waits for the next day. */
const CALLS_MAX = 200;

/** Takes away what the ledger keeps of calls whose day is over: from then on nothing repeats their answers. */
export async function expireOperations(database: Database): Promise<number> {
  let expired = 0;
  for (let call = 0; call < CALLS_MAX; call += 1) {
    const deleted = await deleteExpired(database, ROWS_MAX);
    expired += deleted;
    if (deleted < ROWS_MAX) break;
  }
  return expired;
}
