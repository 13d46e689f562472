import type { Database } from "../../db/connection/client.ts";
import {
  claimOrphans,
  finishSweep,
  keepSweepPosition,
  readSweepPosition,
  sweepDeclared,
} from "../../db/content/data-sweep.ts";
import type { BlobStore } from "../../storage/blobs.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** Uploads wait while rows are swept, and so only so many are at a time. */
const ROWS_MAX = 5000;
/** What is left then waits for the next run. */
const BATCHES_MAX = 40;
/** R2 lists and deletes so many objects in one call. */
const PAGE_OBJECTS = 1000;
/** A Worker may make only so many calls; the next run goes on where this one ended. */
const PAGES_MAX = 100;

/** What a sweep took away. */
export interface Swept {
  rows: number;
  objects: number;
}

/**
 * Takes away rows whose content did not come within a day, and objects of that age that no row names. An object is
 * claimed before it is deleted, so that an upload of the same content at that moment never counts as stored.
 */
export async function sweepData(
  { database, blobs }: { database: Database; blobs: BlobStore },
  { now, ageSeconds = DAY_SECONDS }: { now: Date; ageSeconds?: number },
): Promise<Swept> {
  let [rows, objects] = [0, 0];
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const swept = await sweepDeclared(database, { ageSeconds, rowsMax: ROWS_MAX });
    await deleteClaimed(swept.keys);
    rows += swept.rows;
    objects += swept.keys.length;
    if (swept.rows < ROWS_MAX) break;
  }

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
