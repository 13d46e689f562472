import { beforeAll, describe, expect, it } from "vitest";
import { sweepData } from "../../../src/actions/upkeep/sweep-data.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import type { DataRecord } from "../../../src/db/content/data.ts";
import { type BlobStore, objectKeyOf } from "../../../src/storage/blobs.ts";
import { createR2Blobs } from "../../../src/storage/r2-blobs.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  testBucket,
  type TestApi,
} from "../../support/api.ts";
import { givenEval } from "../../support/evals.ts";
import { untilLocksAreHeld } from "../../support/model/locks.ts";
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

/** The bucket as a service of these two tenants alone would see it: other test files keep their objects in it too. */
function ownBlobs(changes: Partial<BlobStore> = {}): BlobStore {
  const blobs = createR2Blobs(testBucket());
  const prefixes = [api.tenant.id, api.otherTenant.id];
  return {
    ...blobs,
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

/** Sweeps as it is done a day from now, when all that is here is old. */
const sweepTomorrow = (blobs = ownBlobs()) => {
  const { databaseUrl, fetchEndpoint } = api.database;
  const database = openDatabase({ databaseUrl, fetchEndpoint });
  return sweepData({ database, blobs }, { now: new Date(), ageSeconds: 0 });
};
const read = (id: string) => api.call<DataRecord>("GET", `/data/${id}`);
const isKept = async ({ sha256 }: { sha256: string }, tenant = api.tenant) =>
  (await testBucket().head(objectKeyOf(tenant.id, sha256))) !== null;
/** Puts an object where it would lie, as an upload does whose row was swept meanwhile. */
const givenOrphan = async (text: string) => {
  const sha256 = await sha256Of(bytesOf(text));
  await testBucket().put(objectKeyOf(api.tenant.id, sha256), text);
  return { sha256 };
};

/** Lets claims that are open be as old as that. */
const agesClaims = (minutes: number) =>
  api.database.query(
    "superuser",
    "update swept_objects set claimed_at = now() - make_interval(mins => $1) where deleted_at is null",
    [minutes],
  );

describe("the sweep", () => {
  it("takes away what never came, and leaves what is here, lies elsewhere, or is named", async () => {
    const task = await api.givenTask();
    const taskId = task.id;
    const stored = await givenDeclared(api, bytesOf("here"), { taskId });
    expectDone(await sendContent(api, stored.id, bytesOf("here")));
    const far = await givenDeclared(api, bytesOf("far"), { taskId, uri: "gs://far/away" });
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
    for (const { id } of [stored, far, input, output, child]) expectDone(await read(id));
    expect(await (await readContent(api, stored.id)).text()).toBe("here");
    // Nor can anybody take away what is stored from psql.
    const removing = api.database.query("owner", "delete from data where id = $1", [stored.id]);
    await expect(removing).rejects.toMatchObject({ code: "SL001" });
    // What was swept can be declared anew.
    const body = await declarationOf(bytesOf("waiting"));
    const again = await api.call<DataRecord>("POST", `/tasks/${taskId}/data`, { body });
    expectDone(await sendContent(api, expectDone(again, 201).id, bytesOf("waiting")));
  });

  it("takes away objects that no row names, and those of no one else", async () => {
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

    expect(await sweepTomorrow()).toMatchObject({ objects: 1 });
    expect(await isKept(orphan)).toBe(false);
    expect(await isKept(orphan, api.otherTenant)).toBe(true);
  });

  it("takes away all that never came, however much", async () => {
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
    const deleted = new Set<string>();
    const blobs = ownBlobs({
      delete: async (keys) => {
        for (const key of keys) deleted.add(key);
      },
    });
    expect(await sweepTomorrow(blobs)).toMatchObject({ rows: count });
    expect(deleted.size).toBe(count);
  });

  it("finds by an index whatever may name a row that it takes away", async () => {
    const unindexed = await api.database.query(
      "superuser",
      `select c.conname from pg_constraint c
       where c.contype = 'f' and c.confrelid = 'data'::regclass and not exists (
         select from pg_index i where i.indrelid = c.conrelid and (i.indkey::int2[])[0:1] = c.conkey)`,
    );
    expect(unindexed).toEqual([]);
  });

  it("leaves everything of today, when it comes by itself", async () => {
    const orphan = await givenOrphan("of today");
    const declared = await givenDeclared(api, bytesOf("of today, too"));
    await api.sweepDaily();
    expect(await isKept(orphan)).toBe(true);
    expectDone(await read(declared.id));
  });

  it("never lets an upload count as stored whose object it takes away at that moment", async () => {
    const text = "taken away meanwhile";
    const orphan = await givenOrphan(text);
    let declared: DataRecord | undefined;
    // Between claim and deletion somebody declares the same content, and finds its object there already.
    const blobs = ownBlobs({
      delete: async (keys) => {
        if (keys.includes(objectKeyOf(api.tenant.id, orphan.sha256))) {
          declared = await givenDeclared(api, bytesOf(text));
          const refused = await sendContent(api, declared.id, bytesOf(text));
          expectProblem(refused, "unavailable", 503);
        }
        await testBucket().delete([...keys]);
      },
    });
    await sweepTomorrow(blobs);
    expect(await isKept(orphan)).toBe(false);
    const { id = "" } = declared ?? {};
    expectDone(await sendContent(api, id, bytesOf(text)));
    expect(await (await readContent(api, id)).text()).toBe(text);
  });

  it("is waited for by who names as an input what it takes away at that moment", async () => {
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

  it("finishes what an earlier one left undone, after an hour", async () => {
    const orphan = await givenOrphan("left undone");
    const broken = ownBlobs({ delete: () => Promise.reject(new Error("The bucket is away")) });
    await expect(sweepTomorrow(broken)).rejects.toThrow("The bucket is away");
    await sweepTomorrow();
    expect(await isKept(orphan)).toBe(true);
    await agesClaims(61);
    await sweepTomorrow();
    expect(await isKept(orphan)).toBe(false);
  });

  it("that died keeps nobody waiting: after an hour its claim is void for who sends the content", async () => {
    const text = "claimed by the dead";
    const bytes = bytesOf(text);
    await givenOrphan(text);
    const dying = ownBlobs({ delete: () => Promise.reject(new Error("The bucket is away")) });
    await expect(sweepTomorrow(dying)).rejects.toThrow("The bucket is away");
    const { id } = await givenDeclared(api, bytes);
    for (const minutes of [0, 59]) {
      await agesClaims(minutes);
      expectProblem(await sendContent(api, id, bytes), "unavailable", 503);
    }
    await agesClaims(61);
    expectDone(await sendContent(api, id, bytes));
    await sweepTomorrow();
    expect(await (await readContent(api, id)).text()).toBe(text);
    const open = "select object_key from swept_objects where deleted_at is null";
    expect(await api.database.query("superuser", open)).toEqual([]);
  });

  it("looks through a bucket of any size, a part each day", async () => {
    const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000);
    const pages = 250;
    const seen: number[] = [];
    const blobs = ownBlobs({
      list: async (after) => {
        const page = after === null ? 0 : Number(after) + 1;
        seen.push(page);
        // Too young to be taken away: what is tried here is the way through them.
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
    // Leaves the position at the beginning.
    await sweepTomorrow(blobs);
    await sweepTomorrow(blobs);
  });

  it("harms no upload beside which it runs", async () => {
    const contents = Array.from({ length: 12 }, (_, index) => manyBytes(50_000 + index));
    const declared = [];
    for (const bytes of contents) declared.push(await givenDeclared(api, bytes));
    const sweeping = { goesOn: true };
    const sweeps = (async () => {
      while (sweeping.goesOn) await sweepTomorrow();
    })();
    const answers = await Promise.all(
      declared.map(({ id }, index) => sendContent(api, id, contents[index] ?? bytesOf(""))),
    );
    sweeping.goesOn = false;
    await sweeps;
    // Told that it is stored, or that its row or object was taken away: never the one while it is the other.
    for (const [index, { status }] of answers.entries()) {
      expect([200, 404, 503]).toContain(status);
      const { id = "", sha256 = "" } = declared[index] ?? {};
      if (status !== 200) continue;
      const content = await readContent(api, id);
      expect(await sha256Of(new Uint8Array(await content.arrayBuffer()))).toBe(sha256);
    }
  });
});
