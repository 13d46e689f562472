import { beforeAll, describe, expect, it, test, vi } from "vitest";
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
const isInBucket = async ({ sha256 }: { sha256: string }) =>
  (await testBucket().head(objectKeyOf(api.tenant.id, sha256))) !== null;
const read = async (id: string) => expectDone(await api.call<DataRecord>("GET", `/data/${id}`));

describe("Uploading content", () => {
  it("stores it once under its hash, and returns it byte for byte", async () => {
    const bytes = bytesOf("Natalia sold 72 clips.");
    const declared = await givenDeclared(api, bytes);
    expect(declared).toMatchObject({ storedAt: null, verified: false });
    expect((await readContent(api, declared.id)).status).toBe(404);

    const stored = expectDone(await sendContent(api, declared.id, bytes));
    expect(stored).toEqual({ ...declared, storedAt: expect.any(String), verified: true });
    expect(await read(declared.id)).toEqual(stored);
    expect(await isInBucket(declared)).toBe(true);
    const again = expectDone(await sendContent(api, declared.id, bytes));
    expect(again).toEqual(stored);
    const content = await readContent(api, declared.id);
    expect(new Uint8Array(await content.arrayBuffer())).toEqual(bytes);
  });

  it("accepts a stream of 5 MiB without a length", async () => {
    const bytes = manyBytes(5 * MEBIBYTE);
    const declared = await givenDeclared(api, bytes);
    expectDone(await sendContent(api, declared.id, streamOf(bytes)));
    const content = await readContent(api, declared.id);
    expect(await sha256Of(new Uint8Array(await content.arrayBuffer()))).toBe(declared.sha256);
  });

  it("that stalls is cut off with request_timeout, stores nothing, and can be repeated", async () => {
    const bytes = manyBytes(128 * 1024);
    const declared = await givenDeclared(api, bytes);
    const state = { isCancelled: false, isAnswered: false };
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes.slice(0, 1000)),
      cancel: () => {
        state.isCancelled = true;
      },
    });
    const realTimeout = setTimeout;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const sending = sendContent(api, declared.id, stalled);
    const answered = sending.finally(() => {
      state.isAnswered = true;
    });
    // The upload is read only after a round trip, which takes real time.
    while (!state.isAnswered) {
      await new Promise((resolve) => realTimeout(resolve, 20));
      await vi.advanceTimersByTimeAsync(5000);
    }
    vi.useRealTimers();
    expectProblem(await answered, "request_timeout", 408);
    expect(state.isCancelled).toBe(true);
    expect(await isInBucket(declared)).toBe(false);
    expect((await read(declared.id)).storedAt).toBe(null);
    expectDone(await sendContent(api, declared.id, bytes));
  });

  it("accepts empty content", async () => {
    const declared = await givenDeclared(api, new Uint8Array());
    expectDone(await sendContent(api, declared.id, new Uint8Array()));
    expect(await (await readContent(api, declared.id)).text()).toBe("");
  });

  test.each([
    ["longer content with a length", "72 clips", "72 clips!", false, "wrong_length"],
    ["longer content without a length", "72 clips", "72 clips!", true, "wrong_length"],
    ["shorter content with a length", "72 clips", "72", false, "wrong_length"],
    ["shorter content without a length", "72 clips", "72", true, "wrong_length"],
    ["empty content", "72 clips", "", true, "wrong_length"],
    ["other content of the same length", "72 clips", "73 clips", true, "wrong_content"],
  ])("rejects %s, and stores nothing", async (_, wanted, sent, isStreamed, code) => {
    const declared = await givenDeclared(api, bytesOf(`${wanted} ${code} ${String(isStreamed)}`));
    const body = bytesOf(`${sent} ${code} ${String(isStreamed)}`);
    const rejected = await sendContent(api, declared.id, isStreamed ? streamOf(body) : body);
    const { issues } = expectProblem(rejected, "validation_failed", 400);
    expect(issues).toMatchObject([{ code }]);
    expect(await isInBucket(declared)).toBe(false);
    expect(await read(declared.id)).toEqual(declared);
  });

  it("stores nothing if the upload is interrupted, and can be repeated", async () => {
    const bytes = manyBytes(MEBIBYTE);
    const declared = await givenDeclared(api, bytes);
    const cut = streamOf(bytes, { breaksAfter: MEBIBYTE / 2 });
    expectProblem(await sendContent(api, declared.id, cut), "validation_failed", 400);
    expect(await isInBucket(declared)).toBe(false);
    expectDone(await sendContent(api, declared.id, bytes));
  });

  it("checks a repeated upload, and rejects other content", async () => {
    const bytes = bytesOf("The first, and the last.");
    const declared = await givenDeclared(api, bytes);
    const stored = expectDone(await sendContent(api, declared.id, bytes));
    const other = await sendContent(api, declared.id, bytesOf("The first, but another."));
    expectProblem(other, "validation_failed", 400);
    expect(await read(declared.id)).toEqual(stored);
  });

  it("restores content that the bucket has lost", async () => {
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

  it("stores it once for concurrent uploads and for two tasks that share it", async () => {
    const bytes = manyBytes(300_000);
    const declared = await givenDeclared(api, bytes);
    const sibling = await givenDeclared(api, bytes);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        sendContent(api, declared.id, index % 2 === 0 ? bytes : streamOf(bytes)),
      ),
    );
    const times = answers.map((answer) => expectDone(answer).storedAt);
    expect(new Set(times)).toEqual(new Set([(await read(declared.id)).storedAt]));
    expect((await read(sibling.id)).storedAt).toBe(null);
    expectDone(await sendContent(api, sibling.id, bytes));
    expect(
      await sha256Of(new Uint8Array(await (await readContent(api, sibling.id)).arrayBuffer())),
    ).toBe(declared.sha256);
  });

  it("succeeds while other requests upload wrong content", async () => {
    const bytes = manyBytes(200_000);
    const wrong = bytes.toReversed();
    const declared = await givenDeclared(api, bytes);
    const [right, ...rejected] = await Promise.all([
      sendContent(api, declared.id, streamOf(bytes)),
      sendContent(api, declared.id, streamOf(wrong)),
      sendContent(api, declared.id, wrong),
    ]);
    expectDone(right);
    for (const answer of rejected) expectProblem(answer, "validation_failed", 400);
    const content = await readContent(api, declared.id);
    expect(await sha256Of(new Uint8Array(await content.arrayBuffer()))).toBe(declared.sha256);
  });

  test.each([
    ["another media type", { "content-type": "text/html" }, "unsupported_media_type", 415],
    ["compressed content", { "content-encoding": "gzip" }, "unsupported_media_type", 415],
    ["more than 100 MiB", { "content-length": `${101 * MEBIBYTE}` }, "payload_too_large", 413],
  ] as const)("rejects %s", async (name, headers, code, status) => {
    const declared = await givenDeclared(api, bytesOf(name));
    expectProblem(await sendContent(api, declared.id, bytesOf(name), { headers }), code, status);
    expect(await isInBucket(declared)).toBe(false);
  });

  it("accepts the declared media type with other parameters", async () => {
    const bytes = bytesOf("in Latin 1");
    const declared = await givenDeclared(api, bytes, { contentType: "text/plain; charset=utf-8" });
    const headers = { "content-type": "Text/Plain" };
    expectDone(await sendContent(api, declared.id, bytes, { headers }));
  });

  it("returns 404 for content that is stored elsewhere", async () => {
    const bytes = bytesOf("far away");
    const { id } = await givenDeclared(api, bytes, { uri: "gs://somewhere/else" });
    expectProblem(await sendContent(api, id, bytes), "not_found", 404);
    expect((await readContent(api, id)).status).toBe(404);
  });

  it("returns 404 for a data item of another tenant", async () => {
    const bytes = bytesOf("private");
    const declared = await givenDeclared(api, bytes);
    const { otherTenant: tenant } = api;
    expectProblem(await sendContent(api, declared.id, bytes, { tenant }), "not_found", 404);
    expect(await isInBucket(declared)).toBe(false);
  });

  it("returns 503 while the database is unavailable, and succeeds on retry", async () => {
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

describe("Downloading content", () => {
  const head = (id: string, headers: Record<string, string> = {}) =>
    api.fetch(`/v1/data/${id}/content`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${api.tenant.keys.viewer}`, ...headers },
    });
  const givenStored = async (bytes: Uint8Array, more: object = {}) => {
    const declared = await givenDeclared(api, bytes, { ...more });
    return expectDone(await sendContent(api, declared.id, bytes));
  };

  it("returns a sandboxed attachment with a file name chosen by the service", async () => {
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
    "returns %s as application/octet-stream",
    async (contentType) => {
      const { id } = await givenStored(bytesOf(contentType), { contentType });
      const { headers } = await readContent(api, id);
      expect(headers.get("content-type")).toBe("application/octet-stream");
    },
  );

  it("returns 304 if the client already has it", async () => {
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
  ])("with `Range: %s` returns %i", async (range, status, text, contentRange) => {
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
  ])("of %j with the empty `Range: %s` returns %i", async (text, range, status) => {
    const bytes = bytesOf(text);
    const { id } = await givenStored(bytes);
    const answer = await readContent(api, id, { range });
    const contentRange = answer.headers.get("content-range");
    if (status === 200)
      return expect([answer.status, await answer.text(), contentRange]).toEqual([200, "", null]);
    expect([answer.status, contentRange]).toEqual([416, `bytes */${bytes.length}`]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({
      error: "range_not_satisfiable",
      retry: "never",
      sizeBytes: bytes.length,
    });
  });

  it("returns its length, also for HEAD", async () => {
    const { id } = await givenStored(bytesOf("as long as this"));
    const part = await readContent(api, id, { range: "bytes=3-6" });
    expect([await part.text(), part.headers.get("content-length")]).toEqual(["long", "4"]);
    const { status, headers, body } = await head(id);
    expect([status, headers.get("content-length"), body]).toEqual([200, "15", null]);
  });

  it("returns 416 for a range beyond the end only if no precondition or HEAD takes precedence", async () => {
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
    const { status, headers } = await head(id, { range });
    expect([status, headers.get("content-range")]).toEqual([200, null]);
  });

  it("returns the whole content if `If-Range` names other content", async () => {
    const { id, sha256 } = await givenStored(bytesOf("abcdef"));
    const range = "bytes=0-1";
    const other = await readContent(api, id, { range, "if-range": '"something-else"' });
    expect([other.status, await other.text()]).toEqual([200, "abcdef"]);
    const same = await readContent(api, id, { range, "if-range": `"${sha256}"` });
    expect([same.status, await same.text()]).toEqual([206, "ab"]);
  });
});
