import type { Database } from "../../db/connection/client.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import { expireOperations } from "./expire-operations.ts";
import { sweepData } from "./sweep-data.ts";

/** What is put away once a day: operations that have run out, rows whose content never came, objects of no row. */
export async function sweepDaily(
  stores: { database: Database; blobs: BlobStore },
  { now }: { now: Date },
) {
  return {
    operations: await expireOperations(stores.database),
    ...(await sweepData(stores, { now })),
  };
}
