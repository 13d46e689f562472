import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { problemOf, testApp } from "./support.ts";

const MIB = 1024 * 1024;

/** Returns the status, the error code and the code of the first issue. */
async function errorOf(response: Response): Promise<string> {
  const { error, issues } = await problemOf(response);
  return [response.status, error, issues?.[0]?.code].filter(Boolean).join(" ");
}

describe("the media type of a body", () => {
  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json;charset=utf-16",
    "application/json; charset=iso-8859-1",
    "application/ld+json",
    "application/jsonp",
    "text/json",
    "",
  ])("%j is rejected before the body is read", async (type) => {
    const { send } = testApp();
    const body = '{"title":"a"}';
    const response = await send("POST", "/v1/things", { headers: { "content-type": type }, body });
    expect(await errorOf(response)).toBe("415 unsupported_media_type");
  });

  test("is required", async () => {
    const body = new TextEncoder().encode('{"title":"a"}');
    const response = await testApp().send("POST", "/v1/things", { body });
    expect(await errorOf(response)).toBe("415 unsupported_media_type");
  });

  test("does not allow a compressed body", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const response = await testApp().send("POST", "/v1/things", { headers, body: '{"title":"a"}' });
    expect(await errorOf(response)).toBe("415 unsupported_media_type");
  });

  test.each([
    "application/json",
    "Application/JSON; charset=UTF-8",
    'application/json;charset="utf-8"',
    "application/json; version=1",
  ])("%j is accepted", async (type) => {
    const headers = { "content-type": type };
    const response = await testApp().send("POST", "/v1/things", { headers, body: '{"title":"a"}' });
    expect(response.status).toBe(201);
  });
});

describe("the size of a body", () => {
  const padded = (bytes: number) => `{"title":"a"}${" ".repeat(bytes - 13)}`;

  test("may be one MiB; one more byte returns payload_too_large", async () => {
    const { sendJson } = testApp();
    expect((await sendJson("POST", "/v1/things", padded(MIB))).status).toBe(201);
    const response = await sendJson("POST", "/v1/things", padded(MIB + 1));
    expect(response.status).toBe(413);
    expect(await problemOf(response)).toMatchObject({ error: "payload_too_large", max: MIB });
  });

  test("may be four MiB on a route with a large body", async () => {
    const { sendJson } = testApp();
    const options = { role: "reviewer" as const, headers: { "idempotency-key": "k" } };
    const body = (bytes: number) => `{"ids":["a"]}${" ".repeat(bytes - 13)}`;
    expect((await sendJson("POST", "/v1/things/many", body(4 * MIB), options)).status).toBe(200);
    const response = await sendJson("POST", "/v1/things/many", body(4 * MIB + 1), options);
    expect(await errorOf(response)).toBe("413 payload_too_large");
  });

  test("stops an endless body without Content-Length at the limit", async () => {
    let sent = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 64 * 1024;
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      },
      cancel() {
        cancelled = true;
      },
    });
    const headers = { "content-type": "application/json" };
    const response = await testApp().send("POST", "/v1/things", { headers, body: endless });
    expect(await errorOf(response)).toBe("413 payload_too_large");
    expect(cancelled).toBe(true);
    expect(sent).toBeLessThan(2 * MIB);
  });
});

describe("the content of a body", () => {
  test.each([
    ["malformed JSON", "{bad", "400 malformed_json"],
    ["a missing body", "", "400 malformed_json"],
    ["50,000 levels", `{"title":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, "400 json_too_deep"],
    ["a duplicate key", '{"title":"a","title":"b"}', "400 duplicate_key"],
    ["NUL", '{"title":"a\\u0000"}', "400 validation_failed invalid_text"],
    ["half a surrogate pair", '{"title":"\\ud800"}', "400 validation_failed invalid_text"],
    [
      "a number beyond every double",
      '{"title":"a","metadata":{"n":1e999999}}',
      "400 validation_failed number_out_of_range",
    ],
    [
      "an integer that a double would round",
      '{"title":"a","metadata":{"n":9007199254740993}}',
      "400 validation_failed number_out_of_range",
    ],
    [
      "__proto__",
      '{"title":"a","__proto__":{"admin":true}}',
      "400 validation_failed unrecognized_keys",
    ],
    ["constructor", '{"title":"a","constructor":1}', "400 validation_failed unrecognized_keys"],
    [
      "__proto__ in metadata",
      '{"title":"a","metadata":{"x":[{"__proto__":{"admin":true}}]}}',
      "400 validation_failed forbidden_key",
    ],
    [
      "constructor.prototype in metadata",
      '{"title":"a","metadata":{"constructor":{"prototype":{"admin":true}}}}',
      "400 validation_failed forbidden_key",
    ],
    ["a list as metadata", '{"title":"a","metadata":[]}', "400 validation_failed custom"],
    ["a list instead of an object", "[]", "400 validation_failed invalid_type"],
  ])("%s is rejected", async (_name, body, error) => {
    expect(await errorOf(await testApp().sendJson("POST", "/v1/things", body))).toBe(error);
  });

  test.each(["tenantId", "actorId", "status", "eventSeq", "createdAt", "currentStepId"])(
    "%s, which only the service sets, is unrecognized",
    async (field) => {
      const response = await testApp().sendJson("POST", "/v1/things", { title: "a", [field]: "x" });
      expect(await problemOf(response)).toMatchObject({
        error: "validation_failed",
        issues: [{ path: [field], code: "unrecognized_keys" }],
      });
    },
  );

  test.each(['"true"', "1", "[]"])("runAttachedWorkflows: %s is rejected", async (value) => {
    const body = `{"title":"a","runAttachedWorkflows":${value}}`;
    const response = await testApp().sendJson("POST", "/v1/things", body);
    expect(await problemOf(response)).toMatchObject({
      error: "validation_failed",
      issues: [{ path: ["runAttachedWorkflows"], code: "invalid_type" }],
    });
  });

  test("metadata reaches the route as it was sent", async () => {
    const metadata = { a: [1, { "": null }], tostring: "x", deep: { hasOwnProperty: 1 } };
    const response = await testApp().sendJson("POST", "/v1/things", { title: "a", metadata });
    const { input } = await response.json<{ input: { body: unknown } }>();
    expect(input.body).toEqual({ title: "a", metadata });
  });

  test("all faults are reported together, up to 100, with long keys shortened", async () => {
    const unknown = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`${"k".repeat(1000)}${index}`, 1]),
    );
    const response = await testApp().sendJson("POST", "/v1/things", { title: "", ...unknown });
    const { issues = [] } = await problemOf(response);
    expect(issues[0]).toMatchObject({ path: ["title"], code: "too_small" });
    expect(issues).toHaveLength(100);
    expect(JSON.stringify(issues).length).toBeLessThan(25_000);
  });

  test("a list that is too long returns too_many_items and its maximum before its items are validated", async () => {
    const { sendJson } = testApp();
    const response = await sendJson("POST", "/v1/things", { title: "a", ids: [1, 2, 3, 4] });
    expect(await problemOf(response)).toMatchObject({ error: "too_many_items", max: 3 });
    const startedAt = performance.now();
    const body = `{"ids":[${"1,".repeat(1_900_000)}1]}`;
    const options = { role: "reviewer" as const, headers: { "idempotency-key": "k" } };
    const hostile = await sendJson("POST", "/v1/things/many", body, options);
    expect(await problemOf(hostile)).toMatchObject({ error: "too_many_items", max: 1000 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("an empty list returns validation_failed if an item is required", async () => {
    const options = { role: "reviewer" as const, headers: { "idempotency-key": "k" } };
    const response = await testApp().sendJson("POST", "/v1/things/many", { ids: [] }, options);
    expect(await errorOf(response)).toBe("400 validation_failed too_small");
  });

  test("a missing body is an empty object if every field is optional", async () => {
    const response = await testApp().send("PATCH", "/v1/things/ext:a", { role: "reviewer" });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ input: { body: {} } });
  });
});

describe("a body that arrives slowly", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Returns a stream that sends the first pieces when the test says so, and whether its reader gave up. */
  function slowly() {
    const source: { controller?: ReadableStreamDefaultController<Uint8Array> } = {};
    const state = {
      isCancelled: false,
      send: (text: string) => source.controller?.enqueue(new TextEncoder().encode(text)),
      end: () => source.controller?.close(),
    };
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        source.controller = controller;
      },
      cancel() {
        state.isCancelled = true;
      },
    });
    return { stream, state };
  }
  const sendSlowly = (stream: ReadableStream<Uint8Array>) =>
    testApp().send("POST", "/v1/things", {
      headers: { "content-type": "application/json" },
      body: stream,
    });

  test("and then stalls is cut off with request_timeout, and is no longer read", async () => {
    const { stream, state } = slowly();
    const sending = sendSlowly(stream);
    state.send('{"title":');
    await vi.advanceTimersByTimeAsync(20_000);
    const response = await sending;
    expect(response.status).toBe(408);
    expect(await problemOf(response)).toMatchObject({ error: "request_timeout", retry: "same" });
    expect(state.isCancelled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("and never begins is cut off too", async () => {
    const { stream } = slowly();
    const sending = sendSlowly(stream);
    await vi.advanceTimersByTimeAsync(20_000);
    expect((await sending).status).toBe(408);
  });

  test("byte by byte is cut off after a minute", async () => {
    const { stream, state } = slowly();
    const sending = sendSlowly(stream);
    for (let second = 0; second < 60; second += 5) {
      state.send(" ");
      await vi.advanceTimersByTimeAsync(5000);
    }
    expect((await sending).status).toBe(408);
    expect(state.isCancelled).toBe(true);
  });

  test("but within its time is accepted", async () => {
    const { stream, state } = slowly();
    const sending = sendSlowly(stream);
    for (const piece of ['{"title"', ':"a"', "}"]) {
      state.send(piece);
      await vi.advanceTimersByTimeAsync(9000);
    }
    state.end();
    expect((await sending).status).toBe(201);
    expect(vi.getTimerCount()).toBe(0);
  });
});
