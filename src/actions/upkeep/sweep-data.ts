import type { Database } from "../../db/connection/client.ts";
import {
  claimOrphans,
  finishSweep,
  keepSweepPosition,
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

/** How much a sweep deleted. */
export interface Swept {
  rows: number;
  objects: number;
}

/**
 * Deletes declarations whose content did not arrive within a day, and objects of that age that no row names. It claims
 * an object before it deletes it, so that a concurrent upload of the same content never counts as stored.
 */
export async function sweepData(
  { database, blobs }: { database: Database; blobs: BlobStore },
  { now, ageSeconds = DAY_SECONDS }: { now: Date; ageSeconds?: number },
): Promise<Swept> {
  let objects = 0;
  const { total: rows } = await inBatches(ROW_LIMITS, async () => {
    const swept = await sweepDeclared(database, { ageSeconds, rowsMax: ROW_LIMITS.rows });
    await deleteClaimed(swept.keys);
    objects += swept.keys.length;
    return swept.rows;
  });

  const uploadedBefore = new Date(now.getTime() - ageSeconds * 1000);
  let position = await readSweepPosition(database);
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { objects: listed, isLast } = await blobs.list(position, PAGE_OBJECTS);
    const old = listed.filter(({ uploadedAt }) => uploadedAt <= uploadedBefore);
    const orphans = await claimOrphans(
      database,
      old.map(({ key }) => key),
    );
    await deleteClaimed(orphans);
    objects += orphans.length;
    position = isLast ? null : (listed.at(-1)?.key ?? null);
    if (position === null) break;
  }
  await keepSweepPosition(database, position);
  return { rows, objects };

  async function deleteClaimed(claimed: readonly string[]): Promise<void> {
    if (claimed.length === 0) return;
    await blobs.delete(claimed);
    await finishSweep(database, claimed);
  }
}
