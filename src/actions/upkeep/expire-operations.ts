import type { Database } from "../../db/connection/client.ts";
import { deleteExpired } from "../../db/ledger/operations.ts";
import { inBatches } from "../call/in-batches.ts";

/** A batch of 5,000 rows holds its locks only briefly. What exceeds 200 batches waits for the next day. */
const LIMITS = { rows: 5000, batches: 200 };

/** Deletes operations whose replay window of one day is over, and returns how many. */
export async function expireOperations(database: Database): Promise<number> {
  const { total } = await inBatches(LIMITS, () => deleteExpired(database, LIMITS.rows));
  return total;
}
