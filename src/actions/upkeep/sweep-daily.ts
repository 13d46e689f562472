import type { Database } from "../../db/connection/client.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import { expireOperations } from "./expire-operations.ts";
import { sweepData } from "./sweep-data.ts";

/** Deletes expired operations, declarations whose content never arrived, and objects that no row has named for 30 days. */
export async function sweepDaily(
  stores: { database: Database; blobs: BlobStore },
  { now }: { now: Date },
) {
  return {
    operations: await expireOperations(stores.database),
    ...(await sweepData(stores, { now })),
  };
}
