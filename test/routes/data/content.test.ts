import { beforeAll, describe, expect, it, test } from "vitest";
import type { DataRecord } from "../../../src/db/content/data.ts";
import { objectKeyOf } from "../../../src/storage/blobs.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  testBucket,
  type TestApi,
} from "../../support/api.ts";
import {
  bytesOf,
  givenDeclared,
  manyBytes,
  readContent,
  sendContent,
  sha256Of,
  streamOf,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const MEBIBYTE = 1024 * 1024;
const isKept = async ({ sha256 }: { sha256: string }) =>
  (await testBucket().head(objectKeyOf(api.tenant.id, sha256))) !== null;
const now = async (id: string) => expectDone(await api.call<DataRecord>("GET", `/data/${id}`));

describe("content that was declared", () => {
  it("is stored under its hash, once, and comes back byte for byte", async () => {
    const bytes = bytesOf("Natalia sold 72 clips.");
    const declared = await givenDeclared(api, bytes);
    expect(declared).toMatchObject({ storedAt: null, verified: false });
    expect((await readContent(api, declared.id)).status).toBe(404);

    const stored = expectDone(await sendContent(api, declared.id, bytes));
    expect(stored).toEqual({ ...declared, storedAt: expect.any(String), verified: true });
    expect(await now(declared.id)).toEqual(stored);
    expect(await isKept(declared)).toBe(true);
    const again = expectDone(await sendContent(api, declared.id, bytes));
    expect(again).toEqual(stored);
    const content = await readContent(api, declared.id);
    expect(new Uint8Array(await content.arrayBuffer())).toEqual(bytes);
  });

  it("streams through, five mebibytes of it, without saying its length", async () => {
    const bytes = manyBytes(5 * MEBIBYTE);
    const declared = await givenDeclared(api, bytes);
    expectDone(await sendContent(api, declared.id, streamOf(bytes)));
    const content = await readContent(api, declared.id);
    expect(await sha256Of(new Uint8Array(await content.arrayBuffer()))).toBe(declared.sha256);
  });

  it("may be nothing at all", async () => {
    const declared = await givenDeclared(api, new Uint8Array());
    expectDone(await sendContent(api, declared.id, new Uint8Array()));
    expect(await (await readContent(api, declared.id)).text()).toBe("");
  });

  test.each([
    ["is longer, and says so", "72 clips", "72 clips!", false, "wrong_length"],
    ["is longer, and does not say so", "72 clips", "72 clips!", true, "wrong_length"],
    ["is shorter, and says so", "72 clips", "72", false, "wrong_length"],
    ["is shorter, and does not say so", "72 clips", "72", true, "wrong_length"],
    ["is nothing", "72 clips", "", true, "wrong_length"],
    ["is other content of the same length", "72 clips", "73 clips", true, "wrong_content"],
  ])("is refused where it %s, and nothing is stored", async (_, wanted, sent, isStreamed, code) => {
    const declared = await givenDeclared(api, bytesOf(`${wanted} ${code} ${String(isStreamed)}`));
    const body = bytesOf(`${sent} ${code} ${String(isStreamed)}`);
    const refused = await sendContent(api, declared.id, isStreamed ? streamOf(body) : body);
    const { issues } = expectProblem(refused, "validation_failed", 400);
    expect(issues).toMatchObject([{ code }]);
    expect(await isKept(declared)).toBe(false);
    expect(await now(declared.id)).toEqual(declared);
  });

  it("is not stored where the upload breaks off, and can be sent again", async () => {
    const bytes = manyBytes(MEBIBYTE);
    const declared = await givenDeclared(api, bytes);
    const cut = streamOf(bytes, { breaksAfter: MEBIBYTE / 2 });
    expectProblem(await sendContent(api, declared.id, cut), "validation_failed", 400);
    expect(await isKept(declared)).toBe(false);
    expectDone(await sendContent(api, declared.id, bytes));
  });

  it("is compared again where it was stored before, and what differs is refused", async () => {
    const bytes = bytesOf("The first, and the last.");
    const declared = await givenDeclared(api, bytes);
    const stored = expectDone(await sendContent(api, declared.id, bytes));
    const other = await sendContent(api, declared.id, bytesOf("The first, but another."));
    expectProblem(other, "validation_failed", 400);
    expect(await now(declared.id)).toEqual(stored);
  });

  it("comes back where the bucket has lost it, when it is sent again", async () => {
    const bytes = bytesOf("lost, and found again");
    const declared = await givenDeclared(api, bytes);
    const stored = expectDone(await sendContent(api, declared.id, bytes));
    await testBucket().delete(objectKeyOf(api.tenant.id, declared.sha256));
    expect((await readContent(api, declared.id)).status).toBe(500);
    expect(expectDone(await sendContent(api, declared.id, bytes))).toEqual(stored);
    expect(new Uint8Array(await (await readContent(api, declared.id)).arrayBuffer())).toEqual(
      bytes,
    );
  });

  it("is stored once where eight send it at once, and for two tasks that share it", async () => {
    const bytes = manyBytes(300_000);
    const declared = await givenDeclared(api, bytes);
    const sibling = await givenDeclared(api, bytes);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        sendContent(api, declared.id, index % 2 === 0 ? bytes : streamOf(bytes)),
      ),
    );
    const told = answers.map((answer) => expectDone(answer).storedAt);
    expect(new Set(told)).toEqual(new Set([(await now(declared.id)).storedAt]));
    expect((await now(sibling.id)).storedAt).toBe(null);
    expectDone(await sendContent(api, sibling.id, bytes));
    expect(
      await sha256Of(new Uint8Array(await (await readContent(api, sibling.id)).arrayBuffer())),
    ).toBe(declared.sha256);
  });

  it("wins over wrong content that is sent at the same moment", async () => {
    const bytes = manyBytes(200_000);
    const wrong = bytes.toReversed();
    const declared = await givenDeclared(api, bytes);
    const [right, ...refused] = await Promise.all([
      sendContent(api, declared.id, streamOf(bytes)),
      sendContent(api, declared.id, streamOf(wrong)),
      sendContent(api, declared.id, wrong),
    ]);
    expectDone(right);
    for (const answer of refused) expectProblem(answer, "validation_failed", 400);
    const content = await readContent(api, declared.id);
    expect(await sha256Of(new Uint8Array(await content.arrayBuffer()))).toBe(declared.sha256);
  });

  test.each([
    ["under another type", { "content-type": "text/html" }, "unsupported_media_type", 415],
    ["compressed", { "content-encoding": "gzip" }, "unsupported_media_type", 415],
    ["of more than 100 MiB", { "content-length": `${101 * MEBIBYTE}` }, "payload_too_large", 413],
  ] as const)("is not taken %s", async (what, headers, code, status) => {
    const declared = await givenDeclared(api, bytesOf(what));
    expectProblem(await sendContent(api, declared.id, bytesOf(what), { headers }), code, status);
    expect(await isKept(declared)).toBe(false);
  });

  it("is taken under the declared type, whatever its parameters", async () => {
    const bytes = bytesOf("in Latin 1");
    const declared = await givenDeclared(api, bytes, { contentType: "text/plain; charset=utf-8" });
    const headers = { "content-type": "Text/Plain" };
    expectDone(await sendContent(api, declared.id, bytes, { headers }));
  });

  it("is not here where it lies elsewhere", async () => {
    const bytes = bytesOf("far away");
    const { id } = await givenDeclared(api, bytes, { uri: "gs://somewhere/else" });
    expectProblem(await sendContent(api, id, bytes), "not_found", 404);
    expect((await readContent(api, id)).status).toBe(404);
  });

  it("of another tenant is nowhere", async () => {
    const bytes = bytesOf("private");
    const declared = await givenDeclared(api, bytes);
    const { otherTenant: tenant } = api;
    expectProblem(await sendContent(api, declared.id, bytes, { tenant }), "not_found", 404);
    expect(await isKept(declared)).toBe(false);
  });

  it("is 503 while the database is away, and stored by the next try", async () => {
    const bytes = bytesOf("once more");
    const declared = await givenDeclared(api, bytes);
    await api.database.faults({
      kind: "unavailable",
      times: null,
      sql: "insert into operations",
    });
    expectProblem(await sendContent(api, declared.id, bytes), "unavailable", 503);
    await api.database.clearFaults();
    expectDone(await sendContent(api, declared.id, bytes));
  });
});

describe("a download", () => {
  const askAbout = (id: string, headers: Record<string, string> = {}) =>
    api.fetch(`/v1/data/${id}/content`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${api.tenant.keys.viewer}`, ...headers },
    });
  const givenStored = async (bytes: Uint8Array, more: object = {}) => {
    const declared = await givenDeclared(api, bytes, { ...more });
    return expectDone(await sendContent(api, declared.id, bytes));
  };

  it("is an attachment that no browser runs, named by what the service chose", async () => {
    const { id, sha256 } = await givenStored(bytesOf("plain"));
    const { headers } = await readContent(api, id);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "text/plain",
      "content-disposition": `attachment; filename="generated-${id}"`,
      "content-security-policy": expect.stringContaining("sandbox"),
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      etag: `"${sha256}"`,
    });
  });

  test.each(["text/html", "image/svg+xml", "text/javascript; charset=utf-8", "text/css"])(
    "of %s is told as any bytes",
    async (contentType) => {
      const { id } = await givenStored(bytesOf(contentType), { contentType });
      const { headers } = await readContent(api, id);
      expect(headers.get("content-type")).toBe("application/octet-stream");
    },
  );

  it("is not sent to who has it already", async () => {
    const { id, sha256 } = await givenStored(bytesOf("known"));
    const known = await readContent(api, id, { "if-none-match": `"${sha256}"` });
    expect([known.status, await known.text()]).toEqual([304, ""]);
  });

  test.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=9-9", 206, "9", "bytes 9-9/10"],
    ["Bytes=0-0", 206, "0", "bytes 0-0/10"],
    [`bytes=0-${"9".repeat(40)}`, 206, "0123456789", "bytes 0-9/10"],
    ["bytes=5-2", 200, "0123456789", null],
    ["bytes=0-1,4-5", 200, "0123456789", null],
    ["bytes=10-,12-", 200, "0123456789", null],
    ["bytes=ten-", 200, "0123456789", null],
    ["bytes", 200, "0123456789", null],
    ["lines=10-", 200, "0123456789", null],
  ])("with Range: %s is %i", async (range, status, text, contentRange) => {
    ranged ??= await givenStored(bytesOf("0123456789"));
    const answer = await readContent(api, ranged.id, { range });
    expect([answer.status, await answer.text()]).toEqual([status, text]);
    expect(answer.headers.get("content-range")).toBe(contentRange);
  });
  let ranged: DataRecord | undefined;

  test.each([
    ["0123456789", "bytes=10-", 416],
    ["0123456789", "bytes=10-20", 416],
    ["0123456789", "bytes=-0", 416],
    ["0123456789", `bytes=${"9".repeat(40)}-`, 416],
    ["", "bytes=0-", 416],
    ["", "bytes=0-0", 416],
    ["", "bytes=-0", 416],
    ["", "bytes=-5", 200],
  ])("of %j with Range: %s, of which there is nothing, is %i", async (text, range, status) => {
    const bytes = bytesOf(text);
    const { id } = await givenStored(bytes);
    const answer = await readContent(api, id, { range });
    const told = answer.headers.get("content-range");
    if (status === 200)
      return expect([answer.status, await answer.text(), told]).toEqual([200, "", null]);
    expect([answer.status, told]).toEqual([416, `bytes */${bytes.length}`]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({
      error: "range_not_satisfiable",
      retry: "never",
      sizeBytes: bytes.length,
    });
  });

  it("tells how long it is, also to who asks nothing more", async () => {
    const { id } = await givenStored(bytesOf("as long as this"));
    const part = await readContent(api, id, { range: "bytes=3-6" });
    expect([await part.text(), part.headers.get("content-length")]).toEqual(["long", "4"]);
    const { status, headers, body } = await askAbout(id);
    expect([status, headers.get("content-length"), body]).toEqual([200, "15", null]);
  });

  it("asked for beyond its end is not told so to who has it, has other content, or only asks about it", async () => {
    const { id, sha256 } = await givenStored(bytesOf("0123456789"));
    const range = "bytes=10-";
    for (const [more, status] of [
      [{ "if-none-match": `"${sha256}"` }, 304],
      [{ "if-none-match": '"another"' }, 416],
      [{ "if-range": '"another"' }, 200],
      [{ "if-range": `W/"${sha256}"` }, 200],
      [{ "if-range": "Sat, 21 Nov 2026 20:19:57 GMT" }, 200],
      [{ "if-range": `"${sha256}"` }, 416],
    ] as const) {
      const answer = await readContent(api, id, { range, ...more });
      expect(answer.status, JSON.stringify(more)).toBe(status);
      await answer.body?.cancel();
    }
    const { status, headers } = await askAbout(id, { range });
    expect([status, headers.get("content-range")]).toEqual([200, null]);
  });

  it("is whole where the range is of other content", async () => {
    const { id, sha256 } = await givenStored(bytesOf("abcdef"));
    const range = "bytes=0-1";
    const other = await readContent(api, id, { range, "if-range": '"something-else"' });
    expect([other.status, await other.text()]).toEqual([200, "abcdef"]);
    const same = await readContent(api, id, { range, "if-range": `"${sha256}"` });
    expect([same.status, await same.text()]).toEqual([206, "ab"]);
  });
});
