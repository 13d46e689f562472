import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ApiProblem, ConnectionFault, createApiClient } from "../../scripts/import/api-client.ts";
import { inBatches } from "../../scripts/import/batches.ts";
import { chooseConnection, chooseTenant } from "../../scripts/import/connection.ts";
import { inParallel } from "../../scripts/import/in-parallel.ts";
import { parseImportCommand } from "../../scripts/import/options.ts";
import { showProgress } from "../../scripts/import/progress.ts";
import { UsageFault } from "../../scripts/import/usage-fault.ts";
import type { StackFile } from "../../scripts/stack/stack.ts";
import { inventTenant } from "../../scripts/stack/tenants.ts";
import { gather, streamOf } from "../support/node/temporary-files.ts";

interface Sent {
  url: string;
  key: string | null;
}

/** A client whose network gives the answers in order, and whose time does not pass. */
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
  Response.json({ instance: "r-1", detail: "So it is.", ...body }, { status, headers });
const done = () => Response.json({ done: true });

describe("a call whose outcome is not known, or that was too early", () => {
  test("is repeated with the same Idempotency-Key after what the service asks for", async () => {
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

  test("is given up at last, with the reason behind the reason", async () => {
    const cut = () => new TypeError("fetch failed", { cause: new Error("connect refused") });
    const { post, waits } = clientWith(Array.from({ length: 8 }, cut));
    await expect(post()).rejects.toThrow(ConnectionFault);
    expect(waits).toHaveLength(7);
    const again = clientWith(Array.from({ length: 8 }, cut));
    await expect(again.post()).rejects.toThrow("cannot be reached: connect refused");
  });

  test("has another Idempotency-Key than the next call", async () => {
    const { post, sent } = clientWith([done(), done()]);
    await post();
    await post();
    expect(sent[0]?.key).not.toBe(sent[1]?.key);
  });
});

describe("a call that is refused", () => {
  test("is not repeated, and says why", async () => {
    const issues = [{ path: ["a"], code: "required", message: "Say a." }];
    const { post, sent } = clientWith([
      problemAnswer(400, { error: "validation_failed", retry: "never", issues }),
    ]);
    const refused = post();
    await expect(refused).rejects.toThrow(ApiProblem);
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: "validation_failed",
      issues,
      message: "validation_failed: So it is. (request r-1)",
    });
    expect(sent).toHaveLength(1);
  });

  test("by something else than the service raises doubt about the address", async () => {
    const { post } = clientWith([new Response("Not here", { status: 404 })]);
    await expect(post()).rejects.toThrow("is the address right?");
    const other = clientWith([Response.json({ hello: "world" })]);
    await expect(other.post()).rejects.toThrow("what this version does not understand");
  });
});

describe("batches", () => {
  const items = (...sizes: number[]) =>
    streamOf(sizes.map((bytes, index) => ({ bytes, kept: 0, index })));
  const shapeOf = (batches: { bytes: number }[][]) =>
    batches.map((batch) => batch.map(({ bytes }) => bytes));

  test("hold no more items and no more bytes than they may", async () => {
    const limits = { count: 3, bytes: 10, kept: 0 };
    const batches = await gather(inBatches(items(1, 1, 1, 1, 9, 1, 1, 10, 5, 6), limits));
    expect(shapeOf(batches)).toEqual([[1, 1, 1], [1, 9], [1, 1], [10], [5], [6]]);
  });

  test("hold an item that is too large alone", async () => {
    const limits = { count: 3, bytes: 10, kept: 0 };
    const batches = await gather(inBatches(items(1, 99, 1), limits));
    expect(shapeOf(batches)).toEqual([[1], [99], [1]]);
  });

  test("hold no more beside the request than memory is meant to", async () => {
    const texts = [4, 4, 4, 99, 0, 10].map((kept) => ({ bytes: 1, kept }));
    const batches = await gather(inBatches(streamOf(texts), { count: 9, bytes: 9, kept: 10 }));
    expect(batches.map((batch) => batch.map(({ kept }) => kept))).toEqual([
      [4, 4],
      [4],
      [99],
      [0, 10],
    ]);
  });

  test("of nothing are none", async () => {
    expect(await gather(inBatches(items(), { count: 3, bytes: 10, kept: 0 }))).toEqual([]);
  });
});

describe("the command line", () => {
  test("takes a file and says what it takes when it is given something else", () => {
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
    for (const args of [
      [],
      ["a", "b"],
      ["a", "--only", "evals"],
      ["a", "--batch", "501"],
      ["a", "--batch", "0"],
      ["a", "--mapping", "xml"],
      ["a", "--start", "nowhere"],
      ["a", "--colour"],
    ]) {
      expect(() => parseImportCommand(args)).toThrow(UsageFault);
    }
  });
});

describe("work a few at a time", () => {
  test("does everything once, twelve at once at the most", async () => {
    const items = Array.from({ length: 40 }, (_, index) => index);
    const seen: number[] = [];
    let [running, most] = [0, 0];
    await inParallel(items, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      seen.push(item);
      running -= 1;
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual(items);
    expect(most).toBe(12);
  });

  test("begins nothing after the first that fails", async () => {
    const begun: number[] = [];
    const working = inParallel([...Array(40).keys()], async (item) => {
      begun.push(item);
      await Promise.resolve();
      if (item === 3) throw new Error("The fourth fails");
      await new Promise((resolve) => setImmediate(resolve));
    });
    await expect(working).rejects.toThrow("The fourth fails");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begun).toHaveLength(12);
  });
});

describe("whom to call", () => {
  const first = inventTenant("Demo");
  const second = inventTenant("Second demo");
  const stack: StackFile = {
    baseUrl: "http://127.0.0.1:8787",
    proxyUrl: null,
    databaseUrl: "",
    migrationDatabaseUrl: "",
    tenants: [first, second],
  };
  const asked = { url: null, key: null, tenant: null, role: "operator" as const };

  test("is the stack that runs here, and its first tenant, when nothing is said", () => {
    const { baseUrl } = stack;
    expect(chooseConnection(asked, stack)).toEqual({ baseUrl, key: first.keys.operator });
    const other = { ...asked, tenant: "second DEMO", role: "reviewer" as const };
    expect(chooseConnection(other, stack)).toEqual({ baseUrl, key: second.keys.reviewer });
    expect(chooseTenant(stack, second.id)).toBe(second);
  });

  test("never gets the stack's key at another address", () => {
    expect(() => chooseConnection({ ...asked, url: "https://elsewhere.test" }, stack)).toThrow(
      "--url needs a key",
    );
    expect(chooseConnection({ ...asked, url: "https://a.test", key: "k" }, null)).toEqual({
      baseUrl: "https://a.test",
      key: "k",
    });
  });

  test("is told apart from nobody", () => {
    expect(() => chooseConnection(asked, null)).toThrow("No stack is running here");
    expect(() => chooseConnection({ ...asked, url: "nowhere", key: "k" }, null)).toThrow(
      UsageFault,
    );
    expect(() => chooseTenant(stack, "Third")).toThrow('It has "Demo", "Second demo"');
  });
});

test("progress is a line for each tenth where there is no terminal", () => {
  const stream = new PassThrough({ encoding: "utf8" });
  const progress = showProgress("Importing", 1000, stream);
  for (let done = 1; done <= 1000; done += 1) progress.reach(done);
  progress.end();
  const lines = String(stream.read()).trimEnd().split("\n");
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe("  Importing: 100/1000");
  expect(lines.at(-1)).toBe("  Importing: 1000/1000");
});
