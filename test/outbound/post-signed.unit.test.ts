import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Outbound, postSigned, type SignedMessage } from "../../src/outbound/post-signed.ts";
import { createResolver } from "../../src/outbound/resolve-host.ts";
import { type Receiver, startReceiver } from "../support/node/receiver.ts";
import { testOutbound } from "../support/outbound.ts";

const SECRET = new TextEncoder().encode("the current secret, long enough");
const PREVIOUS = new TextEncoder().encode("the previous secret, as long");
const BODY = JSON.stringify({ type: "pipeline.requested", data: { note: "Enten, 鴨, 🦆" } });

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver(SECRET);
});
afterAll(() => receiver.stop());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWith({ status: 200 });
});

/** Outbound access that allows loopback and resolves every host name to one public address. */
const outbound = (parts: Partial<Outbound> = {}): Outbound =>
  testOutbound({ fetch, ownHosts: ["stepledger.example.com"], ...parts });

const message = (parts: Partial<SignedMessage> = {}): SignedMessage => ({
  url: receiver.url,
  id: "0199d2f5-0000-7000-8000-000000000001",
  timestamp: new Date(),
  body: BODY,
  secrets: [SECRET],
  timeoutMs: 5000,
  ...parts,
});

describe("a message to a receiver that verifies with the standardwebhooks library", () => {
  test("verifies and has the given ID", async () => {
    expect(await postSigned(message(), outbound())).toEqual({
      outcome: "answered",
      status: 200,
      retryAfterSeconds: null,
    });
    expect(receiver.received).toMatchObject([
      {
        body: BODY,
        message: JSON.parse(BODY),
        headers: { "webhook-id": message().id, "content-type": "application/json" },
      },
    ]);
  });

  test("verifies with any of the secrets that signed it", async () => {
    await postSigned(message({ secrets: [PREVIOUS, SECRET] }), outbound());
    await postSigned(message({ secrets: [SECRET, PREVIOUS] }), outbound());
    await postSigned(message({ secrets: [PREVIOUS] }), outbound());
    expect(receiver.received.map((request) => request.message !== null)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test.each([200, 202, 204, 300, 400, 401, 404, 408, 410, 429, 500, 503, 599])(
    "that returns %i is reported with its status, and nothing of its body",
    async (status) => {
      receiver.answerWith({ status, body: status === 204 ? "" : "The secret is s3cret" });
      expect(await postSigned(message(), outbound())).toEqual({
        outcome: "answered",
        status,
        retryAfterSeconds: null,
      });
    },
  );

  test.each([
    ["17", 17],
    [" 17 ", 17],
    ["0", 0],
    ["999999", 3600],
    ["Thu, 05 Nov 2026 12:01:30 GMT", 90],
    ["Thu, 05 Nov 2026 11:00:00 GMT", 0],
    ["Fri, 06 Nov 2026 12:00:00 GMT", 3600],
    ["soon", null],
    ["-5", null],
    ["", null],
  ])("that returns Retry-After: %j waits %j seconds", async (header, retryAfterSeconds) => {
    receiver.answerWith({ status: 429, headers: { "retry-after": header } });
    const timestamp = new Date("2026-11-05T12:00:00Z");
    expect(await postSigned(message({ timestamp }), outbound())).toMatchObject({
      outcome: "answered",
      retryAfterSeconds,
    });
  });

  test.each([
    ["garbage", "The connection failed."],
    ["reset", "The connection failed."],
    ["nothing", "The endpoint did not respond within 0.3 s."],
  ] as const)("that answers with %s has not answered", async (answer, error) => {
    receiver.answerWith(answer);
    expect(await postSigned(message({ timeoutMs: 300 }), outbound())).toEqual({
      outcome: "unanswered",
      error,
    });
  });

  test.each(["endless", "silent body"] as const)(
    "that returns 200 is accepted, whatever its body (%s)",
    async (answer) => {
      receiver.answerWith(answer);
      const posted = await postSigned(message({ timeoutMs: 300 }), outbound());
      expect(posted).toEqual({ outcome: "answered", status: 200, retryAfterSeconds: null });
    },
  );

  test("that is down has not answered", async () => {
    const down = await startReceiver(SECRET);
    await down.stop();
    expect(await postSigned(message({ url: down.url }), outbound())).toMatchObject({
      outcome: "unanswered",
      error: "The connection failed.",
    });
  });
});

describe("a redirect", () => {
  let elsewhere: Receiver;
  beforeEach(async () => {
    elsewhere = await startReceiver(SECRET);
  });
  afterEach(() => elsewhere.stop());

  test.each([301, 302, 303, 307, 308])(
    "with %i is not followed and counts as the answer",
    async (status) => {
      receiver.answerWith({ status, headers: { location: elsewhere.url } });
      expect(await postSigned(message(), outbound())).toEqual({
        outcome: "answered",
        status,
        retryAfterSeconds: null,
      });
      expect(elsewhere.received).toEqual([]);
    },
  );
});

describe("a forbidden address", () => {
  /** The URLs of the requests that were sent. */
  const calls: string[] = [];
  beforeEach(() => calls.splice(0));
  const watched = (parts: Partial<Outbound> = {}) =>
    outbound({
      allowsLoopback: false,
      fetch: async (input) => {
        calls.push(new Request(input).url);
        return new Response(null, { status: 200 });
      },
      ...parts,
    });

  test.each([
    ["http://169.254.169.254/latest", "The URL must use https."],
    ["http://127.0.0.1/", "The URL must use https."],
    ["http://[::ffff:10.0.0.1]/", "The URL must use https."],
    ["http://0x7f000001/", "The URL must use https."],
    ["https://169.254.169.254/latest", "The address is not public."],
    ["https://127.0.0.1/", "The address is not public."],
    ["https://[::ffff:10.0.0.1]/", "The address is not public."],
    ["https://0x7f000001/", "The address is not public."],
    ["https://user@evil.example.com/", "The URL must not contain credentials."],
    ["file:///etc/passwd", "The URL must use https."],
    ["https://stepledger.example.com/v1/tasks", "The URL points to this service itself."],
  ])("is not called: %s", async (url, error) => {
    expect(await postSigned(message({ url }), watched())).toEqual({
      outcome: "not_allowed",
      error,
    });
    expect(calls).toEqual([]);
  });

  test.each([
    [["127.0.0.1"]],
    [["10.0.0.1"]],
    [["169.254.169.254"]],
    [["93.184.216.34", "192.168.0.1"]],
    [["::1"]],
    [["::ffff:127.0.0.1"]],
    [["2606:4700:4700::1111", "fd00::1"]],
    [["not an address"]],
  ])("is not called for a host name that resolves to %j", async (addresses) => {
    const url = "https://rebinding.example.com/";
    expect(
      await postSigned(message({ url }), watched({ resolveHost: async () => addresses })),
    ).toEqual({
      outcome: "not_allowed",
      error: "The host name resolves to an address that is not public.",
    });
    expect(calls).toEqual([]);
  });

  test("is not called if a host name changes to it between two calls", async () => {
    const url = "https://rebinding.example.com/";
    const answers = [["93.184.216.34"], ["127.0.0.1"]];
    const rebound = watched({ resolveHost: async () => answers.shift() ?? [] });
    const outcomes = [];
    for (const _ of [1, 2]) outcomes.push((await postSigned(message({ url }), rebound)).outcome);
    expect(outcomes).toEqual(["answered", "not_allowed"]);
    expect(calls).toEqual([url]);
  });

  test.each([
    ["resolves to no address", async () => [], "The host name resolves to no address."],
    [
      "cannot be resolved",
      async () => Promise.reject(new Error("SERVFAIL")),
      "The host name could not be resolved.",
    ],
    [
      "is not resolved in time",
      () => new Promise<never>(() => {}),
      "The host name could not be resolved.",
    ],
  ])(
    "is not called for a host name that %s, and the message has no answer",
    async (_, resolveHost, error) => {
      const late = message({ url: "https://hooks.example.com/", timeoutMs: 50 });
      expect(await postSigned(late, watched({ resolveHost }))).toEqual({
        outcome: "unanswered",
        error,
      });
      expect(calls).toEqual([]);
    },
  );
});

describe("the resolver", () => {
  const signal = AbortSignal.timeout(5000);
  const answering = (answers: Record<string, object>) =>
    createResolver(async (input) => {
      const query = new URL(new Request(input).url).searchParams;
      return Response.json(answers[`${query.get("name")} ${query.get("type")}`] ?? { Status: 3 });
    });

  test("returns the IPv4 and IPv6 addresses without the CNAME records", async () => {
    const resolve = answering({
      "hooks.example.com 1": {
        Status: 0,
        Answer: [
          { name: "hooks.example.com", type: 5, TTL: 60, data: "edge.example.net." },
          { name: "edge.example.net", type: 1, TTL: 60, data: "93.184.216.34" },
        ],
      },
      "hooks.example.com 28": {
        Status: 0,
        Answer: [{ name: "edge.example.net", type: 28, TTL: 60, data: "2606:4700::1111" }],
      },
    });
    expect(await resolve("hooks.example.com", signal)).toEqual([
      "93.184.216.34",
      "2606:4700::1111",
    ]);
  });

  test("throws if one of the two queries fails", async () => {
    const resolve = answering({ "hooks.example.com 1": { Status: 0 } });
    await expect(resolve("hooks.example.com", signal)).rejects.toThrow("Status");
  });
});
