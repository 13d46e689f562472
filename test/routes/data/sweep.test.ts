import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sweepData } from "../../../src/actions/upkeep/sweep-data.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import type { DataRecord } from "../../../src/db/content/data.ts";
import { type BlobStore, objectKeyOf, type Sweep } from "../../../src/storage/blobs.ts";
import { createR2Blobs } from "../../../src/storage/r2-blobs.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  testBucket,
  type TestApi,
} from "../../support/api.ts";
import { givenEval } from "../../support/evals.ts";
import {
  openTransaction,
  type OpenTransaction,
  untilBlocked,
  untilLocksAreHeld,
} from "../../support/model/locks.ts";
import {
  bytesOf,
  declarationOf,
  givenDeclared,
  manyBytes,
  readContent,
  sendContent,
  sha256Of,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** The last sweep of these tests. */
let swept: Sweep | null = null;

/** The bucket limited to the objects of these two tenants, because other test files use it too. */
function ownBlobs(changes: Partial<BlobStore> = {}): BlobStore {
  const blobs = createR2Blobs(testBucket());
  const prefixes = [api.tenant.id, api.otherTenant.id];
  return {
    ...blobs,
    readSweep: async () => swept,
    writeSweep: async (sweep) => {
      swept = sweep;
    },
    list: async (after, limit) => {
      const found = await Promise.all(prefixes.map((prefix) => testBucket().list({ prefix })));
      const objects = found
        .flatMap((page) => page.objects)
        .map(({ key, uploaded }) => ({ key, uploadedAt: uploaded }))
        .filter(({ key }) => after === null || key > after);
      return { objects: objects.slice(0, limit), isLast: objects.length <= limit };
    },
    ...changes,
  };
}

/** A walk through a part of the bucket that is empty. */
const walksElsewhere = () => ownBlobs({ list: async () => ({ objects: [], isLast: true }) });

/** Sweeps as if it were run a day from now: every declaration is a day older, and objects need no age. */
const sweepTomorrow = async (blobs = ownBlobs()) => {
  const { databaseUrl, fetchEndpoint } = api.database;
  const database = openDatabase({ databaseUrl, fetchEndpoint });
  await api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    {
      text: `update data set created_at = created_at - interval '1 day' where (tenant_id, id) in (
        select tenant_id, id from data where stored_at is null for update skip locked)`,
    },
  ]);
  return sweepData({ database, blobs }, { now: new Date(), ageSeconds: 0 });
};
const daysPass = (days: number) =>
  api.database.query(
    "superuser",
    "update orphaned_objects set orphaned_at = orphaned_at - make_interval(days => $1)",
    [days],
  );
/** Marks orphaned objects, and sweeps again when their 30 days are over. */
const sweepInAMonth = async (blobs = ownBlobs()) => {
  await sweepTomorrow();
  await daysPass(30);
  return sweepTomorrow(blobs);
};
const read = (id: string) => api.call<DataRecord>("GET", `/data/${id}`);
const isInBucket = async ({ sha256 }: { sha256: string }, tenant = api.tenant) =>
  (await testBucket().head(objectKeyOf(tenant.id, sha256))) !== null;
/** Stores an object without a row, as an upload does if its row is swept meanwhile. */
const givenOrphan = async (text: string) => {
  const sha256 = await sha256Of(bytesOf(text));
  await testBucket().put(objectKeyOf(api.tenant.id, sha256), text);
  return { sha256 };
};

/** Sets the age of all open claims. */
const setClaimAge = (minutes: number) =>
  api.database.query(
    "superuser",
    "update swept_objects set claimed_at = now() - make_interval(mins => $1) where deleted_at is null",
    [minutes],
  );

describe("The data sweep", () => {
  it("deletes data items whose content never came, unless other rows refer to them", async () => {
    const task = await api.givenTask();
    const taskId = task.id;
    const stored = await givenDeclared(api, bytesOf("here"), { taskId });
    expectDone(await sendContent(api, stored.id, bytesOf("here")));
    const external = await givenDeclared(api, bytesOf("far"), { taskId, uri: "gs://far/away" });
    const input = await givenDeclared(api, bytesOf("input"), { taskId });
    const output = await givenDeclared(api, bytesOf("output"), { taskId });
    await givenEval(api, task, {
      trials: [{ model: "solver-7b", status: "passed", outputDataId: output.id }],
    });
    const waiting = await givenDeclared(api, bytesOf("waiting"), { taskId, inputs: [stored.id] });
    const child = await givenDeclared(api, bytesOf("child"), { taskId, inputs: [input.id] });
    expectDone(await sendContent(api, child.id, bytesOf("child")));

    expect(await sweepTomorrow()).toMatchObject({ rows: 1 });
    expectProblem(await read(waiting.id), "not_found", 404);
    expectProblem(await sendContent(api, waiting.id, bytesOf("waiting")), "not_found", 404);
    for (const { id } of [stored, external, input, output, child]) expectDone(await read(id));
    expect(await (await readContent(api, stored.id)).text()).toBe("here");
    // The database rejects deleting a stored data item, even from psql.
    const removing = api.database.query("owner", "delete from data where id = $1", [stored.id]);
    await expect(removing).rejects.toMatchObject({ code: "SL001" });
    // A swept data item can be declared again.
    const body = await declarationOf(bytesOf("waiting"));
    const again = await api.call<DataRecord>("POST", `/tasks/${taskId}/data`, { body });
    expectDone(await sendContent(api, expectDone(again, 201).id, bytesOf("waiting")));
  });

  it("deletes objects without a row, but not the same content of another tenant", async () => {
    const bytes = bytesOf("shared by two tenants");
    const orphan = await givenOrphan("shared by two tenants");
    const { id: taskId } = await api.givenTask({ tenant: api.otherTenant });
    const body = await declarationOf(bytes);
    const answer = await api.call<DataRecord>("POST", `/tasks/${taskId}/data`, {
      tenant: api.otherTenant,
      body,
    });
    const theirs = expectDone(answer, 201);
    expectDone(await sendContent(api, theirs.id, bytes, { tenant: api.otherTenant }));

    expect(await sweepTomorrow()).toMatchObject({ marked: 1, objects: 0 });
    await daysPass(29);
    expect(await sweepTomorrow()).toMatchObject({ marked: 0, objects: 0 });
    expect(await isInBucket(orphan)).toBe(true);
    await daysPass(1);
    expect(await sweepTomorrow()).toMatchObject({ marked: 0, objects: 1 });
    expect(await isInBucket(orphan)).toBe(false);
    expect(await isInBucket(orphan, api.otherTenant)).toBe(true);
  });

  it("keeps an object that a row names again before its 30 days are over", async () => {
    const text = "named again";
    const orphan = await givenOrphan(text);
    await sweepTomorrow();
    await daysPass(30);
    const { id } = await givenDeclared(api, bytesOf(text));
    expectDone(await sendContent(api, id, bytesOf(text)));
    expect(await sweepTomorrow()).toMatchObject({ objects: 0 });
    expect(await isInBucket(orphan)).toBe(true);
    expect(await (await readContent(api, id)).text()).toBe(text);
    const marks = "select object_key from orphaned_objects";
    expect(await api.database.query("superuser", marks)).toEqual([]);
  });

  it("keeps a marked object that a row names again, even if this sweep does not get to it", async () => {
    const text = "named again elsewhere";
    await givenOrphan(text);
    await sweepTomorrow();
    await daysPass(30);
    const { id } = await givenDeclared(api, bytesOf(text));
    expectDone(await sendContent(api, id, bytesOf(text)));
    expect(await sweepTomorrow(walksElsewhere())).toMatchObject({ objects: 0 });
    expect(await (await readContent(api, id)).text()).toBe(text);
  });

  it("keeps an object for another 30 days after the row that named it was swept", async () => {
    const text = "declared and never sent";
    const orphan = await givenOrphan(text);
    await sweepTomorrow();
    await daysPass(30);
    await givenDeclared(api, bytesOf(text));
    expect(await sweepTomorrow(walksElsewhere())).toMatchObject({ rows: 1, objects: 0 });
    expect(await sweepTomorrow()).toMatchObject({ marked: 1, objects: 0 });
    expect(await isInBucket(orphan)).toBe(true);
  });

  describe("that would delete many objects at once", () => {
    /** Marks objects of a tenant that do not exist, 30 days ago. */
    const givenDue = (count: number, { id } = api.tenant) =>
      api.database.query(
        "superuser",
        `insert into orphaned_objects (tenant_id, object_key, orphaned_at)
        select $1::uuid, $1 || '/' || encode(sha256(convert_to('due ' || n, 'UTF8')), 'hex'), now() - interval '30 days'
        from generate_series(1, $2::integer) n`,
        [id, count],
      );
    /** Stores rows with content of their own. */
    const givenStoredRows = async (count: number) => {
      const { id } = await givenDeclared(api, bytesOf(`one of ${count}`));
      await api.database.query(
        "superuser",
        `insert into data (tenant_id, id, task_id, version_id, step_id, kind, object_key, content_type, size_bytes,
           sha256, created_by, stored_at)
         select tenant_id, gen_random_uuid(), task_id, version_id, step_id, kind, tenant_id || '/' || encode(hash, 'hex'),
           content_type, size_bytes, hash, created_by, now()
         from data d, generate_series(1, $2::integer) n, sha256(convert_to('stored ' || n, 'UTF8')) hash where d.id = $1`,
        [id, count],
      );
    };
    const left = async () => {
      const [row] = await api.database.query("superuser", "select count(*) from orphaned_objects");
      return Number(row?.["count"]);
    };
    /** Takes every deletion, and shows no objects of other tests. */
    const deletes = (): BlobStore => ({ ...walksElsewhere(), delete: async () => {} });

    beforeEach(() => api.database.query("superuser", "delete from orphaned_objects"));

    it("holds them, says so, and goes on with other tenants", async () => {
      await givenDue(101);
      await givenDue(100, api.otherTenant);
      expect(await sweepTomorrow(deletes())).toMatchObject({
        objects: 100,
        held: [{ tenantId: api.tenant.id, due: 101 }],
      });
      expect(await left()).toBe(101);
      expect(await sweepTomorrow(deletes())).toMatchObject({ objects: 0, held: [{ due: 101 }] });
    });

    it("deletes them if they are at most 1 % of the tenant's objects", async () => {
      await givenStoredRows(101 * 99);
      await givenDue(101);
      expect(await sweepTomorrow(deletes())).toMatchObject({ objects: 101, held: [] });
      await givenDue(105);
      expect(await sweepTomorrow(deletes())).toMatchObject({ objects: 0, held: [{ due: 105 }] });
    });

    it("deletes them after an operator has allowed it", async () => {
      await givenDue(150);
      await api.database.query("owner", "update orphaned_objects set approved_at = now()");
      expect(await sweepTomorrow(deletes())).toMatchObject({ objects: 150, held: [] });
    });
  });

  it("deletes any number of data items", async () => {
    const { id } = await givenDeclared(api, bytesOf("one of thousands"));
    const count = 5001;
    await api.database.query(
      "superuser",
      `insert into data (tenant_id, id, task_id, version_id, step_id, kind, object_key, content_type, size_bytes,
         sha256, created_by)
       select tenant_id, gen_random_uuid(), task_id, version_id, step_id, kind, tenant_id || '/' || encode(hash, 'hex'),
         content_type, size_bytes, hash, created_by
       from data d, generate_series(2, $2) n, sha256(convert_to(n::text, 'UTF8')) hash where d.id = $1`,
      [id, count],
    );
    expect(await sweepTomorrow()).toMatchObject({ rows: count });
  });

  it("finds every reference to a data item by an index", async () => {
    const unindexed = await api.database.query(
      "superuser",
      `select c.conname from pg_constraint c
       where c.contype = 'f' and c.confrelid = 'data'::regclass and not exists (
         select from pg_index i where i.indrelid = c.conrelid and (i.indkey::int2[])[0:1] = c.conkey)`,
    );
    expect(unindexed).toEqual([]);
  });

  it("leaves everything from today when it runs on schedule", async () => {
    const orphan = await givenOrphan("of today");
    const declared = await givenDeclared(api, bytesOf("of today, too"));
    await api.sweepDaily();
    expect(await isInBucket(orphan)).toBe(true);
    expectDone(await read(declared.id));
  });

  it("makes an upload fail whose object it is deleting", async () => {
    const text = "taken away meanwhile";
    const orphan = await givenOrphan(text);
    let declared: DataRecord | undefined;
    // Between the claim and the deletion, a client declares the same content and finds its object.
    const blobs = ownBlobs({
      delete: async (keys) => {
        if (keys.includes(objectKeyOf(api.tenant.id, orphan.sha256))) {
          declared = await givenDeclared(api, bytesOf(text));
          const rejected = await sendContent(api, declared.id, bytesOf(text));
          expectProblem(rejected, "unavailable", 503);
        }
        await testBucket().delete([...keys]);
      },
    });
    await sweepInAMonth(blobs);
    expect(await isInBucket(orphan)).toBe(false);
    const { id = "" } = declared ?? {};
    expectDone(await sendContent(api, id, bytesOf(text)));
    expect(await (await readContent(api, id)).text()).toBe(text);
  });

  it("makes an upload fail that read its row before the object was deleted", async () => {
    const text = "deleted under an upload";
    const orphan = await givenOrphan(text);
    let held: OpenTransaction | undefined;
    let uploading: ReturnType<typeof sendContent> | undefined;
    // Between the claim and the deletion, a client sends the same content. Its write waits until the sweep is over.
    const blobs = ownBlobs({
      delete: async (keys) => {
        if (keys.includes(objectKeyOf(api.tenant.id, orphan.sha256))) {
          const { id } = await givenDeclared(api, bytesOf(text));
          held = await openTransaction(api.database, [
            { text: "lock table operations in share mode" },
          ]);
          uploading = sendContent(api, id, bytesOf(text));
          await untilBlocked(api.database);
        }
        await testBucket().delete([...keys]);
      },
    });
    await sweepInAMonth(blobs);
    expect(await isInBucket(orphan)).toBe(false);
    await held?.end();
    expectProblem((await uploading) ?? expect.fail("nothing was sent"), "unavailable", 503);
  });

  it("makes an upload wait for a claim that is under way, and then fail", async () => {
    const text = "claimed under an upload";
    const { sha256 } = await givenOrphan(text);
    const key = [api.tenant.id, objectKeyOf(api.tenant.id, sha256)];
    await api.database.transaction("superuser", [
      {
        text: `insert into orphaned_objects (tenant_id, object_key, orphaned_at)
          values ($1, $2, now() - interval '30 days')`,
        values: key,
      },
      {
        text: `insert into swept_objects (tenant_id, object_key, claimed_at, deleted_at)
          values ($1, $2, now() - interval '2 hours', now() - interval '2 hours')`,
        values: key,
      },
    ]);
    // The claim renews an earlier one, and waits for its row.
    const held = await openTransaction(api.database, [
      {
        text: "select from swept_objects where (tenant_id, object_key) = ($1, $2) for update",
        values: key,
      },
    ]);
    const claiming = api.database.query("application", "select claim_due_orphans(10) as key");
    await untilBlocked(api.database);
    const { id } = await givenDeclared(api, bytesOf(text));
    const uploading = sendContent(api, id, bytesOf(text));
    await Promise.race([uploading, untilBlocked(api.database, 2)]);
    await held.end();
    expect(await claiming).toEqual([{ key: key[1] }]);
    expectProblem(await uploading, "unavailable", 503);
    await setClaimAge(61);
  });

  it("leaves a declaration whose content is being stored, without waiting for it", async () => {
    const { id } = await givenDeclared(api, bytesOf("stored during a sweep"));
    await api.database.query(
      "superuser",
      `do $$ begin
        set local session_replication_role = replica;
        update data set created_at = now() - interval '2 days' where id = '${id}';
      end $$`,
    );
    const storing = await openTransaction(api.database, [
      { text: "update data set stored_at = now() where id = $1", values: [id] },
    ]);
    const sweeping = api.database.transaction("application", [
      { text: "set local lock_timeout = '1s'" },
      { text: "select from sweep_declared_data(interval '1 day', 1000)" },
    ]);
    await expect(sweeping).resolves.toBeDefined();
    await storing.end();
    const sweep = "select from sweep_declared_data(interval '1 day', 1000)";
    await api.database.query("application", sweep);
    expect((await read(id)).body.storedAt).not.toBeNull();
  });

  it("makes a declaration wait if it is deleting one of its inputs", async () => {
    const { id: taskId } = await api.givenTask();
    const input = await givenDeclared(api, bytesOf("taken away as an input"), { taskId });
    const sweeping = api.database.transaction("superuser", [
      { text: "delete from data where id = $1", values: [input.id] },
      { text: "select pg_sleep(0.3)" },
    ]);
    await untilLocksAreHeld(api.database);
    const body = await declarationOf(bytesOf("made from it"), { inputs: [input.id] });
    const late = await api.call("POST", `/tasks/${taskId}/data`, { body });
    expectProblem(late, "not_found", 404);
    await sweeping;
  });

  it("finishes the work of an interrupted sweep after an hour", async () => {
    const orphan = await givenOrphan("left undone");
    const broken = ownBlobs({ delete: () => Promise.reject(new Error("The bucket is down")) });
    await expect(sweepInAMonth(broken)).rejects.toThrow("The bucket is down");
    await sweepTomorrow();
    expect(await isInBucket(orphan)).toBe(true);
    await setClaimAge(61);
    await sweepTomorrow();
    expect(await isInBucket(orphan)).toBe(false);
  });

  it("that was interrupted blocks uploads of the content for at most an hour", async () => {
    const text = "claimed by an interrupted sweep";
    const bytes = bytesOf(text);
    await givenOrphan(text);
    const broken = ownBlobs({ delete: () => Promise.reject(new Error("The bucket is down")) });
    await expect(sweepInAMonth(broken)).rejects.toThrow("The bucket is down");
    const { id } = await givenDeclared(api, bytes);
    for (const minutes of [0, 59]) {
      await setClaimAge(minutes);
      expectProblem(await sendContent(api, id, bytes), "unavailable", 503);
    }
    await setClaimAge(61);
    expectDone(await sendContent(api, id, bytes));
    await sweepTomorrow();
    expect(await (await readContent(api, id)).text()).toBe(text);
    const open = "select object_key from swept_objects where deleted_at is null";
    expect(await api.database.query("superuser", open)).toEqual([]);
  });

  it("scans a bucket of any size, one part each day", async () => {
    const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000);
    const pages = 250;
    const seen: number[] = [];
    const blobs = ownBlobs({
      list: async (after) => {
        const page = after === null ? 0 : Number(after) + 1;
        seen.push(page);
        // Too new to be deleted: this test covers only the scan.
        return {
          objects: [{ key: String(page), uploadedAt: tomorrow }],
          isLast: page === pages - 1,
        };
      },
    });
    for (let day = 0; day < 3; day += 1) await sweepTomorrow(blobs);
    expect(seen).toEqual(Array.from({ length: pages }, (_, page) => page));
    await sweepTomorrow(blobs);
    expect(seen.at(pages)).toBe(0);
    // Returns the position to the beginning for other tests.
    await sweepTomorrow(blobs);
    await sweepTomorrow(blobs);
  });

  it("does not corrupt concurrent uploads", async () => {
    const contents = Array.from({ length: 12 }, (_, index) => manyBytes(50_000 + index));
    const declared = [];
    for (const bytes of contents) declared.push(await givenDeclared(api, bytes));
    const sweeping = { goesOn: true };
    const sweeps = (async () => {
      while (sweeping.goesOn) await sweepInAMonth();
    })();
    const answers = await Promise.all(
      declared.map(({ id }, index) => sendContent(api, id, contents[index] ?? bytesOf(""))),
    );
    sweeping.goesOn = false;
    await sweeps;
    // A response of 200 means that the content is stored. Otherwise its row or its object was swept.
    for (const [index, { status }] of answers.entries()) {
      expect([200, 404, 503]).toContain(status);
      const { id = "", sha256 = "" } = declared[index] ?? {};
      if (status !== 200) continue;
      const content = await readContent(api, id);
      expect(await sha256Of(new Uint8Array(await content.arrayBuffer()))).toBe(sha256);
    }
  });
});
