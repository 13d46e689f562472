import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createApiClient, type ApiClient } from "../../scripts/import/api-client.ts";
import { inParallel } from "../../scripts/import/in-parallel.ts";
import { LabelHistory } from "../../scripts/seed/label-history.ts";
import { parseSeedCommand } from "../../scripts/seed/options.ts";
import { FeedReader } from "../../scripts/seed/read-history.ts";
import { runSeed } from "../../scripts/seed/run-seed.ts";
import type { SeedOutput } from "../../scripts/seed/screen.ts";
import { newestRun, startRun } from "../../scripts/seed/tell-story.ts";
import { inventTenant, storeTenant, type Tenant } from "../../scripts/stack/tenants.ts";
import { mondayMorning, tellTeamStory } from "../../scripts/stack/team-story.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { seen } from "../support/node/command.ts";
import { startService, type TestService } from "../support/node/service.ts";

const TASKS = 9;
const DAYS = 14;
const STORY = ["--tasks", String(TASKS), "--days", String(DAYS)];

let service: TestService;
const demo = inventTenant("A demo", { kind: "demo" });
let client: ApiClient;

beforeAll(async () => {
  service = await startService();
  await storeTenant(service.database.migrationDatabaseUrl, demo);
  client = createApiClient({ baseUrl: service.baseUrl, key: demo.keys.admin });
});
afterAll(() => service.stop());

/** Runs `npm run seed` with the key of the demo's administrator, and returns what it prints. */
function seedWith(args: readonly string[], output: SeedOutput = {}, key = demo.keys.admin) {
  return seen(() => runSeed(["--url", service.baseUrl, ...args], { key, stack: null }, output));
}

describe("npm run seed", () => {
  test("refuses a tenant that is not a demo, and starts nothing", async () => {
    const { code, err } = await seedWith(STORY, {}, service.tenant.keys.admin);
    expect(code).toBe(2);
    expect(err).toContain('The tenant "First tenant" is not a demo.');
  });

  test("has nothing to show before the first story", async () => {
    expect((await seedWith(["--show"])).err).toContain("No story was ever started here.");
  });

  test("tells a story, and prints a chart that agrees with the service, in 80 columns", async () => {
    const { code, out, err } = await seedWith(STORY);
    expect(code).toBe(0);
    expect(err).toContain(`Days told at once: ${DAYS}/${DAYS}`);
    expect(out).toContain(`The service counts the same ${TASKS} tasks by label.`);
    expect(out).toContain("0 refused.");
    for (const line of out.split("\n").slice(2)) expect(line.length).toBeLessThanOrEqual(80);
    expect(out).not.toContain("\u001B");
    for (const label of UNIFIED_STATUSES) expect(out).toMatch(new RegExp(`^  . ${label} +│`, "m"));
    expect(out).toContain("Throughput by day (tasks)");
    expect(out).toMatch(/^ {2}all +\d+ (min|h) /m);
  });

  test("shows the newest story again, in color and on more columns if the terminal has them", async () => {
    const terminal = { isTTY: true, getColorDepth: () => 8, columns: 160, rows: 50 };
    const { code, out } = await seedWith(["--show", "--last", "7"], terminal);
    expect(code).toBe(0);
    expect(out).toContain("\u001B[38;5;");
    expect(out).toMatch(/Throughput by day \(tasks\) +Median time at each stage/);
  });

  test("starts no story while another one is open, unless it may replace it", async () => {
    const { id } = await startRun(client, { seed: 5, tasks: 3, days: DAYS });
    const refused = await seedWith(STORY);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`A story is being told here (run ${id}).`);
    const { code, out } = await seedWith(["--replace", "--tasks", "2", "--days", String(DAYS)]);
    expect(code).toBe(0);
    expect(out).toContain("Archiving the 3 tasks of the newest story.");
    // Those of the first story stay, because it is not the newest.
    expect(out).toContain(`The service counts the same ${TASKS + 2} tasks by label.`);
    expect(await newestRun(client)).toMatchObject({ tasks: 2, state: "ended" });
  });
});

test("a local stack starts no other story after the end of one, and none in a customer's tenant", async () => {
  const { baseUrl, tenant } = service;
  const { signal } = new AbortController();
  const told = async (tenants: readonly Tenant[]) =>
    seen(async () => {
      await tellTeamStory({ baseUrl, tenants }, { tasks: 40, signal });
      return 0;
    });
  const before = await newestRun(client);
  expect((await told([tenant, demo])).out).toBe(
    "A demo: its story has ended. Tell another one: npm run seed",
  );
  expect(await newestRun(client)).toEqual(before);
  expect(await told([tenant])).toEqual({ code: 0, out: "", err: "" });
});

const statusAsOf = z.object({ unifiedStatus: z.enum(UNIFIED_STATUSES) });
const taskIds = z.object({ ids: z.array(z.string()) });

test("the labels of the past are those that asOf returns", async () => {
  const history = new LabelHistory();
  await new FeedReader(client).readInto(history, { isWhole: true });
  const { ids } = await client.call({ method: "GET", path: "/tasks/ids" }, taskIds);
  const { begin } = (await newestRun(client)) ?? expect.fail();
  const hour = 3_600_000;
  const start = Date.parse(begin) - DAYS * 24 * hour;
  for (const at of [30, 100, 171, 300].map((hours) => start + hours * hour)) {
    const expected = Object.fromEntries(UNIFIED_STATUSES.map((label) => [label, 0]));
    await inParallel(ids, async (id) => {
      const asOf = encodeURIComponent(new Date(at).toISOString());
      const path = `/tasks/${id}/status?asOf=${asOf}`;
      const found = await client.call({ method: "GET", path }, statusAsOf).catch(() => null);
      if (found !== null) expected[found.unifiedStatus] = (expected[found.unifiedStatus] ?? 0) + 1;
    });
    const counted = history.countsIn({ start: at - hour, columnMs: hour, columns: 1 });
    const ends = UNIFIED_STATUSES.map((label) => [label, counted[label].ends[0]]);
    expect(Object.fromEntries(ends)).toEqual(expected);
    expect(Object.values(expected).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  }
});

describe("the command line", () => {
  test("tells everything at once without a speed, and all but a week with one", () => {
    expect(parseSeedCommand([])).toMatchObject({ seed: 1, tasks: 120, days: 91, atOnce: 91 });
    expect(parseSeedCommand(["--speed", "10080"])).toMatchObject({ speed: 10_080, atOnce: 84 });
    expect(parseSeedCommand(["--speed", "60", "--at-once", "0"])).toMatchObject({ atOnce: 0 });
  });

  test.each([
    [["--tasks", "0"]],
    [["--days", "13"]],
    [["--speed", "604801"]],
    [["--seed", "1.5"]],
    [["--at-once", "3"]],
    [["--show", "--replace"]],
    [["--what"]],
    [["word"]],
  ])("rejects %j and prints the usage", (args) => {
    expect(() => parseSeedCommand(args)).toThrow("Usage: npm run seed");
  });
});

test("the story of the local stack goes on on a Monday morning", () => {
  const monday = "2026-11-16T07:00:00.000Z";
  expect(mondayMorning(Date.parse(monday))).toBe(monday);
  expect(mondayMorning(Date.parse("2026-11-23T06:59:59Z"))).toBe(monday);
  expect(mondayMorning(Date.parse(monday) - 1)).toBe("2026-11-09T07:00:00.000Z");
});
