import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ApiProblem, ConnectionError, createApiClient } from "../../scripts/import/api-client.ts";
import { inBatches } from "../../scripts/import/batches.ts";
import { chooseConnection, chooseTenant } from "../../scripts/import/connection.ts";
import { inParallel } from "../../scripts/import/in-parallel.ts";
import { parseImportCommand } from "../../scripts/import/options.ts";
import { showProgress } from "../../scripts/import/progress.ts";
import { UsageError } from "../../scripts/import/usage-error.ts";
import type { StackFile } from "../../scripts/stack/stack.ts";
import { inventTenant } from "../../scripts/stack/tenants.ts";
import { gather, streamOf } from "../support/node/temporary-files.ts";

interface Sent {
  url: string;
  key: string | null;
}

/** Returns a client whose `fetch` returns the given responses in order and that never really waits. */
function clientWith(answers: readonly (Response | Error)[]) {
  const sent: Sent[] = [];
  const waits: number[] = [];
  const client = createApiClient({
    baseUrl: "http://service.test/",
    key: "a key",
    fetch: async (url, init) => {
      const answer = answers[sent.length];
      sent.push({ url, key: new Headers(init.headers).get("idempotency-key") });
      if (answer === undefined) throw new Error("No more answers");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: async (milliseconds) => waits.push(milliseconds),
  });
  const post = () =>
    client.call({ method: "POST", path: "/things", body: {} }, z.object({ done: z.boolean() }));
  return { client, post, sent, waits };
}

const problemAnswer = (status: number, body: object, headers: Record<string, string> = {}) =>
  Response.json({ instance: "r-1", detail: "The detail.", ...body }, { status, headers });
const done = () => Response.json({ done: true });

describe("a call whose outcome is unknown, or that the service asks to retry", () => {
  test("is retried with the same Idempotency-Key, after the service's Retry-After", async () => {
    const { post, sent, waits } = clientWith([
      problemAnswer(429, { error: "rate_limited", retry: "same" }, { "retry-after": "7" }),
      problemAnswer(503, { error: "unavailable", retry: "same" }, { "retry-after": "2" }),
      new TypeError("fetch failed", { cause: new Error("other side closed") }),
      new Response("<html>Bad gateway</html>", { status: 502 }),
      done(),
    ]);
    expect(await post()).toEqual({ done: true });
    expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
    expect(sent[0]?.url).toBe("http://service.test/v1/things");
    expect(waits.slice(0, 2)).toEqual([7000, 2000]);
    for (const wait of waits.slice(2)) expect(wait).toBeGreaterThan(0);
    expect(waits).toHaveLength(4);
  });

  test("fails after the last attempt, with the message of the underlying error", async () => {
    const cut = () => new TypeError("fetch failed", { cause: new Error("connect refused") });
    const { post, waits } = clientWith(Array.from({ length: 8 }, cut));
    await expect(post()).rejects.toThrow(ConnectionError);
    expect(waits).toHaveLength(7);
    const again = clientWith(Array.from({ length: 8 }, cut));
    await expect(again.post()).rejects.toThrow("Cannot reach http://service.test: connect refused");
  });

  test("has a different Idempotency-Key from the next call", async () => {
    const { post, sent } = clientWith([done(), done()]);
    await post();
    await post();
    expect(sent[0]?.key).not.toBe(sent[1]?.key);
  });
});

describe("a call that fails for good", () => {
  test("is not retried, and its error has the problem's members", async () => {
    const issues = [{ path: ["a"], code: "required", message: "a is required." }];
    const { post, sent } = clientWith([
      problemAnswer(400, { error: "validation_failed", retry: "never", issues }),
    ]);
    const refused = post();
    await expect(refused).rejects.toThrow(ApiProblem);
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: "validation_failed",
      issues,
      message: "validation_failed: The detail. (request r-1)",
    });
    expect(sent).toHaveLength(1);
  });

  test("says that the URL may be wrong if the response is not the service's", async () => {
    const { post } = clientWith([new Response("Not here", { status: 404 })]);
    await expect(post()).rejects.toThrow("Is the URL correct?");
    const other = clientWith([Response.json({ hello: "world" })]);
    await expect(other.post()).rejects.toThrow("Unexpected response to POST /things");
  });
});

describe("batches", () => {
  const items = (...sizes: number[]) =>
    streamOf(sizes.map((bytes, index) => ({ bytes, kept: 0, index })));
  const shapeOf = (batches: { bytes: number }[][]) =>
    batches.map((batch) => batch.map(({ bytes }) => bytes));

  test("stay within the limits of items and bytes", async () => {
    const limits = { count: 3, bytes: 10, kept: 0 };
    const batches = await gather(inBatches(items(1, 1, 1, 1, 9, 1, 1, 10, 5, 6), limits));
    expect(shapeOf(batches)).toEqual([[1, 1, 1], [1, 9], [1, 1], [10], [5], [6]]);
  });

  test("contain only one item if that is too large", async () => {
    const limits = { count: 3, bytes: 10, kept: 0 };
    const batches = await gather(inBatches(items(1, 99, 1), limits));
    expect(shapeOf(batches)).toEqual([[1], [99], [1]]);
  });

  test("stay within the limit of what is kept in memory", async () => {
    const texts = [4, 4, 4, 99, 0, 10].map((kept) => ({ bytes: 1, kept }));
    const batches = await gather(inBatches(streamOf(texts), { count: 9, bytes: 9, kept: 10 }));
    expect(batches.map((batch) => batch.map(({ kept }) => kept))).toEqual([
      [4, 4],
      [4],
      [99],
      [0, 10],
    ]);
  });

  test("do not exist without items", async () => {
    expect(await gather(inBatches(items(), { count: 3, bytes: 10, kept: 0 }))).toEqual([]);
  });
});

describe("the command line", () => {
  test("takes a file and options, and prints the usage if it is invalid", () => {
    expect(
      parseImportCommand(["a.csv", "--batch", "20", "--start", "delivery", "--dry-run"]),
    ).toEqual({
      file: "a.csv",
      tenant: null,
      url: null,
      key: null,
      mapping: "auto",
      start: "delivery",
      isTasksOnly: false,
      batchMax: 20,
      isDryRun: true,
      reportPath: null,
    });
    expect(parseImportCommand(["a", "--only", "tasks"])).toMatchObject({ isTasksOnly: true });
    expect(parseImportCommand(["a", "--start", "handoff"])).toMatchObject({ start: "delivery" });
    for (const args of [
      [],
      ["a", "b"],
      ["a", "--only", "evals"],
      ["a", "--batch", "501"],
      ["a", "--batch", "0"],
      ["a", "--mapping", "xml"],
      ["a", "--start", "nowhere"],
      ["a", "--color"],
    ]) {
      expect(() => parseImportCommand(args)).toThrow(UsageError);
    }
  });
});

describe("parallel work", () => {
  test("is done once for each item, at most twelve at a time", async () => {
    const items = Array.from({ length: 40 }, (_, index) => index);
    const seen: number[] = [];
    let [running, maxRunning] = [0, 0];
    await inParallel(items, async (item) => {
      running += 1;
      maxRunning = Math.max(maxRunning, running);
      await Promise.resolve();
      seen.push(item);
      running -= 1;
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual(items);
    expect(maxRunning).toBe(12);
  });

  test("starts nothing after the first failure", async () => {
    const started: number[] = [];
    const working = inParallel([...Array(40).keys()], async (item) => {
      started.push(item);
      await Promise.resolve();
      if (item === 3) throw new Error("The fourth fails");
      await new Promise((resolve) => setImmediate(resolve));
    });
    await expect(working).rejects.toThrow("The fourth fails");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(started).toHaveLength(12);
  });
});

describe("the connection", () => {
  const first = inventTenant("Demo");
  const second = inventTenant("Second demo");
  const stack: StackFile = {
    baseUrl: "http://127.0.0.1:8787",
    proxyUrl: null,
    databaseUrl: "",
    migrationDatabaseUrl: "",
    sealingKeys: "",
    tenants: [first, second],
  };
  const input = { url: null, key: null, tenant: null, role: "operator" as const };

  test("is by default the first tenant of the local stack", () => {
    const { baseUrl } = stack;
    expect(chooseConnection(input, stack)).toEqual({ baseUrl, key: first.keys.operator });
    const other = { ...input, tenant: "second DEMO", role: "reviewer" as const };
    expect(chooseConnection(other, stack)).toEqual({ baseUrl, key: second.keys.reviewer });
    expect(chooseTenant(stack, second.id)).toBe(second);
  });

  test("never sends the local stack's key to another URL", () => {
    expect(() => chooseConnection({ ...input, url: "https://elsewhere.test" }, stack)).toThrow(
      "--url requires a key",
    );
    expect(chooseConnection({ ...input, url: "https://a.test", key: "k" }, null)).toEqual({
      baseUrl: "https://a.test",
      key: "k",
    });
  });

  test("is an error without a stack, with an invalid URL or an unknown tenant", () => {
    expect(() => chooseConnection(input, null)).toThrow("No local stack is running");
    expect(() => chooseConnection({ ...input, url: "nowhere", key: "k" }, null)).toThrow(
      UsageError,
    );
    expect(() => chooseTenant(stack, "Third")).toThrow('It has "Demo", "Second demo"');
  });
});

test("progress is a line for each tenth if there is no terminal", () => {
  const stream = new PassThrough({ encoding: "utf8" });
  const progress = showProgress("Importing", 1000, stream);
  for (let done = 1; done <= 1000; done += 1) progress.update(done);
  progress.end();
  const lines = String(stream.read()).trimEnd().split("\n");
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe("  Importing: 100/1000");
  expect(lines.at(-1)).toBe("  Importing: 1000/1000");
});
