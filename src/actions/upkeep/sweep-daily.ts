import type { Database } from "../../db/connection/client.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import { expireOperations } from "./expire-operations.ts";
import { holdBlockedSteps } from "./hold-blocked-steps.ts";
import { sweepData } from "./sweep-data.ts";

/**
 * Deletes expired operations, declarations whose content never arrived, and objects that no row has named for 30 days.
 * Holds the steps that were blocked by hand before holds existed.
 */
export async function sweepDaily(
  stores: { database: Database; blobs: BlobStore },
  { now, requestId }: { now: Date; requestId: string },
) {
  return {
    operations: await expireOperations(stores.database),
    heldSteps: await holdBlockedSteps(stores.database, { requestId }),
    ...(await sweepData(stores, { now })),
  };
}
