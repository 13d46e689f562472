import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { mostFrequent, scheduleCrons } from "../../scripts/stack/crons.ts";
import { readCrons } from "../../scripts/stack/wrangler.ts";

const SECONDS = 1_000;
const MINUTES = 60 * SECONDS;
const HOURS = 60 * MINUTES;

describe("The crons of a local stack", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date("2026-11-27T02:50:30Z") });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Runs crons for some time, and returns when each one fired. */
  async function firedIn(milliseconds: number, crons: readonly string[], takes = 0) {
    const fired: string[] = [];
    const stop = scheduleCrons(crons, async (cron) => {
      fired.push(`${new Date().toISOString().slice(5, 16)} ${cron}`);
      await new Promise((resolve) => setTimeout(resolve, takes));
    });
    await vi.advanceTimersByTimeAsync(milliseconds);
    stop();
    await vi.advanceTimersByTimeAsync(HOURS);
    return fired;
  }

  test("are those of wrangler.toml, and fire at their times in UTC until the stack stops", async () => {
    expect(await firedIn(40 * MINUTES, readCrons())).toEqual([
      "11-27T03:00 */15 * * * *",
      "11-27T03:15 */15 * * * *",
      "11-27T03:17 17 3 * * *",
      "11-27T03:30 */15 * * * *",
    ]);
  });

  test("number the days of the week as Cloudflare does", async () => {
    // The 27th is a Friday: 6, counted from Sunday.
    const crons = ["0 4 * * 6", "0 4 * * FRI", "0 4 * * 5"];
    expect(await firedIn(2 * HOURS, crons)).toEqual([
      "11-27T04:00 0 4 * * 6",
      "11-27T04:00 0 4 * * FRI",
    ]);
  });

  test("do not overlap themselves: a run that is due waits for the one before", async () => {
    // From 02:51:00, each begins when the one before has ended.
    expect(await firedIn(5 * MINUTES, ["* * * * *"], 90 * SECONDS)).toEqual([
      "11-27T02:51 * * * * *",
      "11-27T02:52 * * * * *",
      "11-27T02:54 * * * * *",
      "11-27T02:55 * * * * *",
    ]);
  });

  test("include one that is the most frequent", () => {
    expect(mostFrequent(readCrons())).toBe("*/15 * * * *");
    expect(mostFrequent(["0 0 1 * *", "30 2 * * *"])).toBe("30 2 * * *");
    expect(mostFrequent([])).toBeUndefined();
  });
});
