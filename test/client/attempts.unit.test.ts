import { describe, expect, test } from "vitest";
import {
  connect,
  type ConnectOptions,
  followFeed,
  StepledgerProblem,
  StepledgerUnreachable,
} from "../../client/index.ts";

/** Returns a client whose `fetch` returns the given responses in order and that never really waits. */
function clientWith(answers: readonly (Response | Error)[], options: Partial<ConnectOptions> = {}) {
  const sent: { url: string; headers: Headers; body: unknown }[] = [];
  const waits: number[] = [];
  const stepledger = connect({
    baseUrl: "http://service.test",
    key: "slg_key",
    fetch: async (url, init) => {
      const answer = answers[sent.length];
      sent.push({ url, headers: new Headers(init.headers), body: init.body });
      if (answer === undefined) throw new Error("No more answers");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: async (milliseconds) => waits.push(milliseconds),
    ...options,
  });
  return { stepledger, sent, waits };
}

const problem = (status: number, body: object, headers: Record<string, string> = {}) =>
  Response.json(
    { type: "/", title: "No", status, detail: "The detail.", instance: "r-1", ...body },
    { status, headers: { "content-type": "application/problem+json", ...headers } },
  );
const body = { title: "A task" };

describe("a call that may succeed later", () => {
  test("is retried unchanged, after the service's Retry-After", async () => {
    const { stepledger, sent, waits } = clientWith([
      problem(429, { error: "rate_limited", retry: "same" }, { "retry-after": "7" }),
      problem(409, { error: "operation_in_progress", retry: "same" }, { "retry-after": "1" }),
      new TypeError("fetch failed"),
      new Response("<html>Bad gateway</html>", { status: 502 }),
      Response.json({ id: "done" }, { status: 201 }),
    ]);
    expect(await stepledger.createTask({ body })).toEqual({ id: "done" });
    expect(new Set(sent.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
    expect(new Set(sent.map(({ body }) => body))).toEqual(new Set([JSON.stringify(body)]));
    expect(waits.slice(0, 2)).toEqual([7000, 1000]);
    expect(waits).toHaveLength(4);
  });

  test("fails with the last error after the maximum number of attempts", async () => {
    const unavailable = () =>
      problem(503, { error: "unavailable", retry: "same" }, { "retry-after": "2" });
    const responses = [unavailable(), unavailable(), unavailable()];
    const { stepledger, sent } = clientWith(responses, { attemptsMax: 2 });
    await expect(stepledger.getMe()).rejects.toThrow("unavailable: The detail.");
    expect(sent).toHaveLength(2);
  });

  test("is not retried if Retry-After is longer than the caller's limit", async () => {
    const { stepledger, sent, waits } = clientWith([
      problem(429, { error: "rate_limited", retry: "same" }, { "retry-after": "3600" }),
    ]);
    await expect(stepledger.getMe()).rejects.toBeInstanceOf(StepledgerProblem);
    expect([sent.length, waits.length]).toEqual([1, 0]);
  });

  test("is retried if its response was cut off", async () => {
    const { stepledger } = clientWith([new Response('{"tenant": {"i'), Response.json({ id: 1 })]);
    expect(await stepledger.getMe()).toEqual({ id: 1 });
  });
});

describe("a call that will not succeed", () => {
  test.each(["never", "reload"])("is sent once if the problem says `%s`", async (retry) => {
    const { stepledger, sent } = clientWith([problem(409, { error: "conflict", retry })]);
    await expect(stepledger.createTask({ body })).rejects.toMatchObject({ retry });
    expect(sent).toHaveLength(1);
  });

  test("rejects with StepledgerUnreachable if the response comes from a proxy", async () => {
    const { stepledger, sent } = clientWith([new Response("Log in first", { status: 407 })]);
    await expect(stepledger.getMe()).rejects.toBeInstanceOf(StepledgerUnreachable);
    expect(sent).toHaveLength(1);
  });

  test("rejects with the caller's reason if the caller aborts it, even between attempts", async () => {
    const ending = new AbortController();
    const { stepledger, sent } = clientWith([new TypeError("fetch failed"), Response.json({})], {
      wait: undefined,
      onRetry: () => ending.abort(new Error("Enough")),
    });
    await expect(stepledger.getMe({ signal: ending.signal })).rejects.toThrow("Enough");
    expect(sent).toHaveLength(1);
  });

  test("fails if an attempt exceeds its time limit", async () => {
    const { stepledger } = clientWith([], {
      timeoutSeconds: 0.01,
      attemptsMax: 1,
      fetch: (_url, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason as Error));
        }),
    });
    await expect(stepledger.getMe()).rejects.toThrow("No answer within 0.01 seconds");
    const longer = stepledger.getMe({ timeoutSeconds: 0.02 });
    await expect(longer).rejects.toThrow("No answer within 0.02 seconds");
  });
});

describe("a request", () => {
  test("carries the key, the condition, the request id and the caller's headers", async () => {
    const { stepledger, sent } = clientWith([Response.json({})]);
    await stepledger.advanceTask({
      params: { taskId: "ext:a/b?c" },
      ifMatch: 3,
      requestId: "r-9",
      headers: { "X-Trace": "t" },
    });
    const [{ url, headers, body } = { url: "", headers: new Headers(), body: null }] = sent;
    expect(url).toBe("http://service.test/v1/tasks/ext%3Aa%2Fb%3Fc/advance");
    expect(Object.fromEntries(headers)).toEqual({
      authorization: "Bearer slg_key",
      "idempotency-key": expect.stringMatching(/^[\w-]{36}$/),
      "if-match": '"3"',
      "x-request-id": "r-9",
      "x-trace": "t",
    });
    expect(body).toBeUndefined();
  });
});

describe("a malformed key", () => {
  test.each(["", "two words", "slg_a\nX-Forged: yes", "slg_ä"])(
    "is rejected without being shown: %j",
    (key) => {
      const connecting = () => connect({ baseUrl: "http://service.test", key });
      expect(connecting).toThrow(
        new TypeError("The key must be one word of printable ASCII characters"),
      );
    },
  );
});

describe("a reader of the feed", () => {
  test("that starts at `now` gets a cursor before it waits, so a lost response loses no event", async () => {
    const page = (nextCursor: string, data: object[] = []) =>
      Response.json({ data, nextCursor, caughtUp: true });
    const { stepledger, sent } = clientWith([
      page("first"),
      new TypeError("fetch failed"),
      page("second", [{ seq: 1 }]),
    ]);
    const pages = followFeed(stepledger, { after: "now", waitSeconds: 20 });
    expect((await pages.next()).value).toMatchObject({ nextCursor: "first" });
    expect((await pages.next()).value).toMatchObject({ data: [{ seq: 1 }] });
    const queries = sent.map(({ url }) => Object.fromEntries(new URL(url).searchParams));
    expect(queries).toMatchObject([
      { after: "now", wait: "0" },
      { after: "first", wait: "20" },
      { after: "first", wait: "20" },
    ]);
  });
});
