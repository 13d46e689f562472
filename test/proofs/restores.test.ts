import { beforeEach, describe, expect, it } from "vitest";
import { sweepData } from "../../src/actions/upkeep/sweep-data.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import type { DataRecord } from "../../src/db/content/data.ts";
import { type BlobStore, objectKeyOf, type Sweep } from "../../src/storage/blobs.ts";
import { createR2Blobs } from "../../src/storage/r2-blobs.ts";
import { bytesOf, givenDeclared, readContent, sendContent } from "../routes/data/support.ts";
import { expectDone, freshApi, testBucket, type TestApi } from "../support/api.ts";
import { backUp } from "../support/backup.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";

let api: TestApi;
/** The last sweep that the bucket names. */
let inBucket: Sweep | null;
beforeEach(async () => {
  api = await freshApi();
  inBucket = null;
});

/** The bucket limited to the objects of this tenant, because other test files use it too. */
function blobs(): BlobStore {
  const all = createR2Blobs(testBucket());
  return {
    ...all,
    readSweep: async () => inBucket,
    writeSweep: async (sweep) => {
      inBucket = sweep;
    },
    list: async () => {
      const { objects } = await testBucket().list({ prefix: api.tenant.id });
      return {
        objects: objects.map(({ key, uploaded }) => ({ key, uploadedAt: uploaded })),
        isLast: true,
      };
    },
  };
}

const sweep = () =>
  sweepData(
    { database: openDatabase(api.database), blobs: blobs() },
    { now: new Date(), ageSeconds: 0 },
  );
const monthPasses = () =>
  api.database.query(
    "superuser",
    "update orphaned_objects set orphaned_at = orphaned_at - interval '31 days'",
  );
/** What `npm run adopt` does. */
const adopt = () =>
  api.database.transaction("owner", [
    { text: "update sweeps set state = 'adopted', adopted_at = now() where state = 'unknown'" },
    { text: "update orphaned_objects set orphaned_at = now()" },
  ]);

async function upload(text: string): Promise<DataRecord> {
  const declared = await givenDeclared(api, bytesOf(text));
  return expectDone<DataRecord>(await sendContent(api, declared.id, bytesOf(text)));
}
const isInBucket = async ({ sha256 }: DataRecord) =>
  (await testBucket().head(objectKeyOf(api.tenant.id, sha256))) !== null;

describe("A database that was restored from a backup", () => {
  it("loses no file that was uploaded since, however long nobody notices", async () => {
    await upload("before the backup");
    expect(await sweep()).toMatchObject({ sweep: 1 });
    const restore = await backUp(api.database);
    const later = await upload("after the backup");
    expect(await sweep()).toMatchObject({ sweep: 2, marked: 0 });

    await restore();
    for (let month = 0; month < 3; month += 1) {
      const marked = month === 0 ? 1 : 0;
      expect(await sweep()).toEqual({ sweep: null, rows: 0, marked, objects: 0, held: [] });
      await monthPasses();
    }
    expect(await isInBucket(later)).toBe(true);
  });

  it("is swept again after the newer backup was restored, and every file is there", async () => {
    await sweep();
    const restoreOld = await backUp(api.database);
    const later = await upload("in the newer backup");
    await sweep();
    const restoreNew = await backUp(api.database);
    await restoreOld();
    expect(await sweep()).toMatchObject({ sweep: null });
    await monthPasses();
    await restoreNew();
    expect(await sweep()).toMatchObject({ sweep: 3, marked: 0, objects: 0 });
    expect(await (await readContent(api, later.id)).text()).toBe("in the newer backup");
  });

  it("is swept again after an operator adopted the bucket, which deletes its files 30 days later", async () => {
    await sweep();
    const restore = await backUp(api.database);
    const later = await upload("given up by the operator");
    await sweep();
    await restore();
    await sweep();
    await monthPasses();
    await adopt();
    expect(await sweep()).toMatchObject({ sweep: 3, objects: 0 });
    expect(await isInBucket(later)).toBe(true);
    await monthPasses();
    expect(await sweep()).toMatchObject({ sweep: 4, objects: 1 });
    expect(await isInBucket(later)).toBe(false);
  });

  it("keeps rows whose content arrived after the backup", async () => {
    const declared = await givenDeclared(api, bytesOf("declared before, stored after"));
    await sweep();
    const restore = await backUp(api.database);
    expectDone(await sendContent(api, declared.id, bytesOf("declared before, stored after")));
    await sweep();
    await restore();
    await api.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      { text: "update data set created_at = created_at - interval '2 days'" },
    ]);
    expect(await sweep()).toMatchObject({ sweep: null, rows: 0 });
    // The object is still there, and the row counts as stored once it is sent again.
    expectDone(await sendContent(api, declared.id, bytesOf("declared before, stored after")));
  });

  it("loses no file if it is restored on the same day, unless 30 days pass", async () => {
    await sweep();
    const restore = await backUp(api.database);
    const later = await upload("between two sweeps");
    await restore();
    expect(await sweep()).toMatchObject({ sweep: 2, marked: 1, objects: 0 });
    expect(await isInBucket(later)).toBe(true);
  });
});

describe("Two databases that use one bucket", () => {
  it("do not delete each other's files", async () => {
    const theirs = await upload("of the first database");
    await sweep();
    const first = inBucket;
    // A second database has its own numbers.
    await api.database.query("superuser", "delete from sweeps");
    for (let day = 0; day < 3; day += 1) expect(await sweep()).toMatchObject({ sweep: null });
    expect(inBucket).toEqual(first);
    expect(await isInBucket(theirs)).toBe(true);
  });
});

describe("The bucket's sweep", () => {
  it("is written before anything is deleted, and read back", async () => {
    const store = createR2Blobs(testBucket());
    const written = { number: 7, id: crypto.randomUUID() };
    await store.writeSweep(written);
    expect(await store.readSweep()).toEqual(written);
    await testBucket().delete("sweep");
    expect(await store.readSweep()).toBeNull();
  });

  it("stops the sweep if it is not valid", async () => {
    await testBucket().put("sweep", "seven");
    const database = openDatabase(api.database);
    const sweeping = sweepData(
      { database, blobs: createR2Blobs(testBucket()) },
      { now: new Date(), ageSeconds: 0 },
    );
    await expect(sweeping).rejects.toThrow("The bucket names no valid sweep");
    await testBucket().delete("sweep");
  });

  it("gets a number of its own if two begin at once", async () => {
    const first = await openTransaction(api.database, [{ text: "select begin_sweep(null, null)" }]);
    const second = sweep();
    await Promise.race([second, untilBlocked(api.database)]);
    await first.end();
    expect(await second).toMatchObject({ sweep: 2 });
  });

  it("that was not written to the bucket leaves both in agreement", async () => {
    await sweep();
    const broken = {
      ...blobs(),
      writeSweep: () => Promise.reject(new Error("The bucket is down")),
    };
    const database = openDatabase(api.database);
    await expect(
      sweepData({ database, blobs: broken }, { now: new Date(), ageSeconds: 0 }),
    ).rejects.toThrow("The bucket is down");
    expect(await sweep()).toMatchObject({ sweep: 3 });
  });
});
