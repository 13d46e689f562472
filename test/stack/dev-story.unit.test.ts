import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiClient } from "../../scripts/import/api-client.ts";
import type { SeedRun } from "../../scripts/seed/api.ts";
import { newestRun } from "../../scripts/seed/tell-story.ts";
import type { StackFile } from "../../scripts/stack/stack.ts";
import { StackProcess } from "../support/node/stack-process.ts";

// Starts `npm run dev` as a developer does, twice on the same directory.

const MINUTES = 60_000;
const DAY_MS = 24 * 60 * MINUTES;
/** A story on a busy machine. */
const PATIENT = { timeout: 3 * MINUTES, interval: 200 };

let stack: StackProcess;

beforeAll(async () => {
  stack = await StackProcess.prepare("dev");
});
afterAll(() => stack.remove(), MINUTES);

/** Returns the newest run of the stack's demo. */
function runOf({ baseUrl, tenants }: StackFile): Promise<SeedRun | null> {
  const key = tenants.find(({ kind }) => kind === "demo")?.keys.admin ?? "";
  return newestRun(createApiClient({ baseUrl, key }));
}

test(
  "npm run dev tells the story of a team, which goes on where it was after a restart with --empty",
  async () => {
    const file = await stack.start("--tasks=40");
    await expect
      .poll(() => stack.output, PATIENT)
      .toMatch(/Simulated team: day 7\d of 91, \d+ actions/);
    const first = await runOf(file);
    expect(first).toMatchObject({
      state: "active",
      speed: 336,
      progress: { actions: { refused: 0 } },
    });
    const before = await moved(file, first);
    await stack.stop();

    const after = await moved(await stack.start(), before);
    expect(stack.output).not.toContain("Simulated team: ");
    expect(after?.id).toBe(first?.id);
    // The time in which the stack was stopped does not count.
    const passed = Date.parse(after?.clock ?? "") - Date.parse(before?.clock ?? "");
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThan(DAY_MS / 2);
  },
  6 * MINUTES,
);

/** Returns the run when its clock has moved. */
async function moved(file: StackFile, from: SeedRun | null): Promise<SeedRun | null> {
  await expect.poll(async () => (await runOf(file))?.clock, PATIENT).not.toBe(from?.clock);
  return runOf(file);
}
