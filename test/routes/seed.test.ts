import { beforeAll, describe, expect, it, test } from "vitest";
import seedTexts from "../../assets/seed/texts.json" with { type: "json" };
import { installTaxonomy } from "../../src/actions/seed/install-taxonomy.ts";
import type { StubView } from "../../src/actions/seed/put-stub.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import type { AdminEventRecord } from "../../src/db/administration/admin-events.ts";
import { OBJECT_PATH_LENGTH_MAX } from "../../src/domain/seed/object-path.ts";
import { SEED_STAGES } from "../../src/domain/seed/stages.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  type TestApi,
  testBucket,
} from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";

interface Entry {
  code: string;
  label: string;
  level: string;
  parentCode: string | null;
  position: number;
}
interface List {
  data: Entry[];
  nextCursor: null;
}

let api: TestApi;
let demo: Tenant;
beforeAll(async () => {
  api = await freshApi();
  demo = await api.demoTenant();
});

/** Uploads to a path that is sent as it is. */
const upload = (
  path: string,
  body = "{}",
  {
    contentType = "application/json",
    tenant = demo,
  }: { contentType?: string; tenant?: Tenant } = {},
) =>
  api.call<StubView>("PUT", `/seed/objects/${path}`, {
    tenant,
    body,
    headers: { "content-type": contentType },
  });

/** Uploads a body of unknown length. */
const stream = (path: string, body: ReadableStream) =>
  api.fetch(`/v1/seed/objects/${path}`, {
    method: "PUT",
    body,
    headers: {
      authorization: `Bearer ${demo.keys.admin}`,
      "content-type": "application/json",
    },
  });

const keysOf = async ({ id }: Tenant): Promise<string[]> => {
  const { objects } = await testBucket().list({ prefix: `${id}/` });
  return objects.map(({ key }) => key);
};

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("The stages of demos", () => {
  it("are listed with everything that is registered about them", async () => {
    const answer = await api.call("GET", "/seed/stages", { tenant: demo, as: "viewer" });
    expect(expectDone(answer)).toEqual({ data: SEED_STAGES, nextCursor: null });
  });
});

describe("The starter taxonomy", () => {
  const read = async () =>
    expectDone(await api.call<List>("GET", "/seed/taxonomy", { tenant: demo, as: "viewer" })).data;

  it("has ten domains of four categories of three difficulties, each after its parent", async () => {
    const entries = await read();
    const levels = Map.groupBy(entries, ({ level }) => level);
    expect([...levels].map(([level, { length }]) => [level, length])).toEqual([
      ["domain", 10],
      ["category", 40],
      ["difficulty", 120],
    ]);
    const children = Map.groupBy(entries, ({ parentCode }) => parentCode);
    for (const [index, { code, level, parentCode }] of entries.entries()) {
      expect(children.get(code)?.length ?? 0).toBe({ domain: 4, category: 3 }[level] ?? 0);
      const parent = entries.findIndex((one) => one.code === parentCode);
      expect(parent).toBeLessThan(index);
      expect(parent === -1).toBe(level === "domain");
    }
    expect(new Set(entries.map(({ code }) => code)).size).toBe(170);
  });

  const install = async (tenant: Tenant) => {
    const { databaseUrl, fetchEndpoint } = api.database;
    const database = openDatabase({ databaseUrl, fetchEndpoint }).forTenant(tenant.id);
    const keys = await api.database.query(
      "owner",
      "select id from api_keys where tenant_id = $1 and role = 'admin' limit 1",
      [tenant.id],
    );
    const keyId = keys[0]?.["id"] ?? "";
    const id = crypto.randomUUID();
    const actor = { id: keyId, name: "Admin", kind: "key", role: "admin" } as const;
    const operation = { id, actorId: keyId, route: "startSeedRun", key: null, fingerprint: "" };
    const credential = { type: "key", keyId } as const;
    const call = { database, actor, operation, requestId: id, credential };
    return installTaxonomy(call, seedTexts);
  };

  it("is installed in one round trip, and stays as it is when it is installed again", async () => {
    const tenant = await api.givenTenant("demo");
    await api.database.resetRoundTrips();
    const installed = await install(tenant);
    expect(installed).toMatchObject({ ok: true, value: { value: { created: 170 } } });
    expect(await api.database.tenantRoundTrips()).toBe(1);

    const { data } = expectDone(
      await api.call<List>("GET", "/taxonomy?limit=200", { tenant, as: "viewer" }),
    );
    const listed = data.map(({ code, label, level, parentCode, position }) => {
      return { code, label, level, parentCode, position };
    });
    expect(listed).toEqual(await read());
    const events = await api.call<{ data: AdminEventRecord[] }>(
      "GET",
      "/admin/events?limit=200&type=taxonomy_created",
      { tenant },
    );
    expect(expectDone(events).data).toHaveLength(170);
    expect(await install(tenant)).toMatchObject({ value: { value: { created: 0 } } });
    await expectInvariantsHold(api.database);
  });

  it("keeps what the tenant has, and leaves a domain out if one of its codes has another level", async () => {
    const tenant = await api.givenTenant("demo");
    const [first, , ...others] = (await read()).filter(({ level }) => level === "domain");
    const [category] = (await read()).filter(({ parentCode }) => parentCode === others[0]?.code);
    const put = (code: string, label: string) =>
      api.call("PUT", `/taxonomy/${code}`, { tenant, body: { label, level: "domain" } });
    expectDone(await put(first?.code ?? "", "Ours"), 201);
    expectDone(await put(category?.code ?? "", "A domain of ours"), 201);
    expect(await install(tenant)).toMatchObject({ value: { value: { created: 169 - 17 } } });
    const domains = await api.call<List>("GET", "/taxonomy?level=domain", { tenant });
    const labels = new Map(expectDone(domains).data.map(({ code, label }) => [code, label]));
    expect(labels.get(first?.code ?? "")).toBe("Ours");
    expect(labels.has(others[0]?.code ?? "")).toBe(false);
  });

  it("is refused in a customer's tenant, with nothing written", async () => {
    const before = await contentsOf(api.database);
    expect(await install(api.tenant)).toMatchObject({ refusal: { code: "not_a_demo" } });
    expect(await contentsOf(api.database)).toEqual(before);
  });
});

describe("An object of a demo", () => {
  it.each(SEED_STAGES.map((stage) => [stage.kind, stage] as const))(
    "is stored under the prefix of %s, with each of its content types, for data to name",
    async (_, { prefix, contentTypes }) => {
      const task = await api.givenTask({ tenant: demo });
      for (const [index, contentType] of contentTypes.entries()) {
        const path = `${prefix}deep/er/file-${index}.v1_a`;
        const text = `Content ${path}`;
        const answer = await upload(path, text, { contentType: `${contentType}; charset=utf-8` });
        const stored = expectDone(answer, 201);
        const facts = { contentType, sizeBytes: text.length, sha256: await sha256(text) };
        expect(stored).toMatchObject({ path, ...facts });
        const object = await testBucket().get(`${demo.id}/${path}`);
        expect(await object?.text()).toBe(text);
        const { uri } = stored;
        const declared = await api.call("POST", `/tasks/${task.id}/data`, {
          tenant: demo,
          body: { kind: "source", ...facts, uri },
        });
        expect(expectDone(declared, 201)).toMatchObject({ ...facts, uri });
      }
    },
  );

  it("can have its slashes encoded", async () => {
    const stored = expectDone(await upload("demo%2Fauthoring%2Fencoded.json"), 201);
    expect(stored.path).toBe("demo/authoring/encoded.json");
    expectProblem(await upload("demo/authoring/encoded.json"), "conflict", 409);
  });

  test.each(SEED_STAGES.map((stage) => [stage.kind, stage] as const))(
    "of %s can be as large as its ceiling, and not a byte larger",
    async (kind, { prefix, bytesMax, contentTypes }) => {
      const [contentType = ""] = contentTypes;
      const most = "x".repeat(bytesMax);
      const larger = await upload(`${prefix}larger`, `${most}x`, { contentType });
      expect(expectProblem(larger, "payload_too_large", 413).max).toBe(bytesMax);
      expect(await keysOf(demo)).not.toContain(`${demo.id}/${prefix}larger`);
      if (kind === "pre_qa") expectDone(await upload(`${prefix}most`, most, { contentType }), 201);
    },
  );

  it("of unknown length is cut off at its ceiling", async () => {
    const { prefix, bytesMax } = SEED_STAGES[2] ?? expect.fail("no stage");
    const chunk = new Uint8Array(64 * 1024);
    let sent = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        sent += chunk.length;
        controller.enqueue(chunk);
        if (sent > 4 * bytesMax) controller.close();
      },
    });
    const response = await stream(`${prefix}endless`, body);
    expect(response.status).toBe(413);
    expect(sent).toBeLessThan(2 * bytesMax);
    expect(await keysOf(demo)).not.toContain(`${demo.id}/${prefix}endless`);
  });

  it("is never overwritten, not even by two uploads at once", async () => {
    const path = "demo/calibration/one.json";
    const texts = Array.from({ length: 4 }, (_, index) => `{"upload":${index}}`);
    // Each body arrives once all uploads have looked whether there is an object.
    const { promise: allLooked, resolve } = Promise.withResolvers<void>();
    let looked = 0;
    const sent = texts.map((text) => {
      const pull = async (controller: ReadableStreamDefaultController) => {
        looked += 1;
        if (looked === texts.length) resolve();
        await allLooked;
        controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      };
      return stream(path, new ReadableStream({ pull }, { highWaterMark: 0 }));
    });
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    const winner = statuses.indexOf(201);
    expect(statuses.with(winner, 409)).toEqual([409, 409, 409, 409]);
    const kept = texts[winner] ?? "";
    const existing = { id: path, sizeBytes: kept.length, sha256: await sha256(kept) };
    for (const text of [kept, "other"]) {
      expect(expectProblem(await upload(path, text), "conflict", 409).existing).toEqual(existing);
    }
    expect(await (await testBucket().get(`${demo.id}/${path}`))?.text()).toBe(kept);
  });

  it.each(["text/html", "image/svg+xml", "application/zip", "", "application/jsonx"])(
    "of the content type %s is refused where its stage does not take it",
    async (contentType) => {
      const answer = await upload("demo/ingestion/type", "x", { contentType });
      expect(expectProblem(answer, "unsupported_media_type", 415).detail).toContain("text/csv");
      expect(await keysOf(demo)).not.toContain(`${demo.id}/demo/ingestion/type`);
    },
  );

  /** Paths as they are sent. URL parsers resolve some of them, which then lead to no prefix or to no route. */
  const FOREIGN = [
    "demo/secret/a.json",
    "demo/ingestionx/a.json",
    "demo/Ingestion/a.json",
    "demo/a.json",
    "other/ingestion/a.json",
    "a.json",
    "demo/ingestion/../secret/a.json",
    "demo/ingestion/%2e%2e/secret/a.json",
    "demo/ingestion/%2E%2E/a.json",
    "demo/ingestion/..%2Fa.json",
    "demo%2Fingestion%2F..%2Fa.json",
    "demo%2Fingestion%2F%2e%2e%2Fa.json",
    "demo/ingestion/%252e%252e/a.json",
    "demo/ingestion/%252e%252e%252fa.json",
    "demo%252Fingestion%252Fa.json",
    "demo/ingestion/%25",
    "demo/ingestion/%zz",
    "demo/ingestion/%C3%28",
    "demo/ingestion/.hidden",
    "demo/ingestion/...",
    "demo/ingestion/a%5C..%5Cb",
    "demo%5Cingestion%5Ca.json",
    "%2Fdemo/ingestion/a.json",
    "/demo/ingestion/a.json",
    "demo//ingestion/a.json",
    "demo/ingestion//a.json",
    "demo/ingestion/",
    "demo/ingestion/a/",
    "demo/ingestion/%00",
    "demo/ingestion/a%00.json",
    "demo/ingestion/a%0A.json",
    "demo/ingestion/%20",
    "demo/ingestion/%E2%80%AE",
    "demo/ingestion/é.json",
    "demo/ingestion/a;b",
    "demo/ingestion/a:b",
    `demo/ingestion/${"a".repeat(OBJECT_PATH_LENGTH_MAX)}`,
  ];
  it.each(FOREIGN)("is refused under the path %s", async (path) => {
    const before = await keysOf(demo);
    expectProblem(await upload(path), "validation_failed", 400);
    expect(await keysOf(demo)).toEqual(before);
  });

  it.each(["../seed/objects/demo/ingestion/ok.json", "../../me", "../../../readyz", ".."])(
    "is stored nowhere if the URL itself leads away: %s",
    async (path) => {
      const { status } = await upload(`demo/${path}`);
      expect([400, 404, 405]).toContain(status);
    },
  );

  it("belongs to one tenant", async () => {
    const another = await api.givenTenant("demo");
    const path = "demo/delivery/shared.json";
    expectDone(await upload(path, "1"), 201);
    expectDone(await upload(path, "22", { tenant: another }), 201);
    expect(await (await testBucket().get(`${demo.id}/${path}`))?.text()).toBe("1");
  });

  it("stays where it is when the bucket is swept", async () => {
    const path = "demo/ingestion/swept.json";
    expectDone(await upload(path), 201);
    const { objects } = await testBucket().list({ prefix: `${demo.id}/` });
    expect(objects.map(({ key }) => key)).toContain(`${demo.id}/${path}`);
    const keys = JSON.stringify(objects.map(({ key }) => key));
    const marked = await api.database.query(
      "owner",
      "select mark_orphans(array(select json_array_elements_text($1::json))) as marked",
      [keys],
    );
    expect(marked).toEqual([{ marked: "0" }]);
  });
});

describe("In a customer's tenant", () => {
  it.each([
    ["GET", "/seed/stages"],
    ["GET", "/seed/taxonomy"],
    ["PUT", "/seed/objects/demo/ingestion/a.json"],
    ["PUT", "/seed/objects/demo/ingestion/%2e%2e"],
  ])("%s %s is refused, and nothing is written", async (method, path) => {
    const before = await contentsOf(api.database);
    const body = method === "PUT" ? { body: "{}" } : {};
    expectProblem(await api.call(method, path, body), "not_a_demo", 403);
    expect(await keysOf(api.tenant)).toEqual([]);
    expect(await contentsOf(api.database)).toEqual(before);
  });
});
