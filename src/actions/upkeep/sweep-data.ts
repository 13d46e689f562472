import type { Database } from "../../db/connection/client.ts";
import {
  beginSweep,
  claimDueOrphans,
  findHeldOrphans,
  finishSweep,
  type HeldOrphans,
  keepSweepPosition,
  markOrphans,
  readSweepPosition,
  sweepDeclared,
} from "../../db/content/data-sweep.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import { inBatches } from "../call/in-batches.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** Uploads wait while a batch of rows is swept, so a batch is small. What exceeds 40 waits for the next run. */
const ROW_LIMITS = { rows: 5000, batches: 40 };
/** R2 lists and deletes up to 1,000 objects in one call. */
const PAGE_OBJECTS = 1000;
/** A Worker invocation is limited in its calls; the next run continues where this one stopped. */
const PAGES_MAX = 100;
const DELETION_LIMITS = { rows: PAGE_OBJECTS, batches: 100 };

interface Stores {
  database: Database;
  blobs: BlobStore;
}

/** What a sweep did, and what it did not do until an operator runs `npm run adopt`. */
export interface Swept {
  /** The sweep's number. Null if the database does not know the bucket's last sweep: then nothing was deleted. */
  sweep: number | null;
  rows: number;
  /** Objects that were found without a row. */
  marked: number;
  /** Objects that were deleted. */
  objects: number;
  /** Tenants whose objects were not deleted, because they are too many. */
  held: HeldOrphans[];
}

/**
 * Marks objects that no row names, and deletes those that were marked 30 days ago and that no row names now. Also
 * deletes declarations whose content did not arrive within a day. It claims an object before it deletes it, so that a
 * concurrent upload of the same content never counts as stored. If the database was restored from an older backup, it
 * deletes nothing.
 */
export async function sweepData(
  stores: Stores,
  { now, ageSeconds = DAY_SECONDS }: { now: Date; ageSeconds?: number },
): Promise<Swept> {
  const { database, blobs } = stores;
  const sweep = await beginSweep(database, await blobs.readSweep());
  const uploadedBefore = new Date(now.getTime() - ageSeconds * 1000);
  if (sweep === null) {
    const marked = await markListed(stores, uploadedBefore);
    return { sweep: null, rows: 0, marked, objects: 0, held: [] };
  }
  // Before anything is deleted, so that a database that is restored to an earlier time does not know this sweep.
  await blobs.writeSweep(sweep);
  const { total: rows } = await inBatches(ROW_LIMITS, () =>
    sweepDeclared(database, { ageSeconds, rowsMax: ROW_LIMITS.rows }),
  );
  const marked = await markListed(stores, uploadedBefore);
  const { total: objects } = await inBatches(DELETION_LIMITS, async () => {
    const claimed = await claimDueOrphans(database, DELETION_LIMITS.rows);
    if (claimed.length > 0) {
      await blobs.delete(claimed);
      await finishSweep(database, claimed);
    }
    return claimed.length;
  });
  return { sweep: sweep.number, rows, marked, objects, held: await findHeldOrphans(database) };
}

/** Walks through the bucket, from where the last sweep stopped, and marks old objects that no row names. */
async function markListed({ database, blobs }: Stores, uploadedBefore: Date): Promise<number> {
  let marked = 0;
  let position = await readSweepPosition(database);
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { objects: listed, isLast } = await blobs.list(position, PAGE_OBJECTS);
    const old = listed.filter(({ uploadedAt }) => uploadedAt <= uploadedBefore);
    marked += await markOrphans(
      database,
      old.map(({ key }) => key),
    );
    position = isLast ? null : (listed.at(-1)?.key ?? null);
    if (position === null) break;
  }
  await keepSweepPosition(database, position);
  return marked;
}
