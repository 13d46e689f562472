import { beforeAll, describe, expect, inject, test } from "vitest";
import { readOutcomes } from "../../../src/db/stats/outcomes.ts";
import { readThroughput } from "../../../src/db/stats/throughput.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import { bucketedWindowOf } from "../../../src/domain/stats/window.ts";
import { freshApi, expectDone, type TestApi } from "../../support/api.ts";
import { chanceFrom } from "../../support/chance.ts";
import { givenHistories, TAXONOMY } from "../../support/histories.ts";
import { silenceLog } from "../../support/model/quiet.ts";
import {
  failuresOf,
  outcomesOf,
  type Span,
  stageTimesOf,
  throughputOf,
  type TaskHistory,
} from "./oracle.ts";
import { pickTimes, readTaskHistories } from "./support.ts";

const { seed } = inject("stack");
const DAYS = 20;
const HOUR_MS = 3_600_000;

silenceLog();

let api: TestApi;
let histories: readonly TaskHistory[];
/** Windows whose bounds are times of events, which tests that `from` is inclusive and `to` is exclusive. */
let spans: readonly Span[];

beforeAll(async () => {
  api = await freshApi();
  await givenHistories(api, { seed, days: DAYS });
  histories = await readTaskHistories(api);
  const times = pickTimes(histories, chanceFrom(seed));
  spans = times.flatMap((from, index) => times.slice(index + 1).map((to) => ({ from, to })));
}, 180_000);

const ofCode = () => histories.filter(({ task }) => task.taxonomyCode === TAXONOMY);
const read = async <Body>(path: string): Promise<Body> =>
  expectDone(await api.call<Body>("GET", `/stats/${path}`, { as: "viewer" }));

describe(`statistics of random histories (replay with SEED=${seed})`, () => {
  test("outcomes count the tasks by label and by the furthest stage in their history", async () => {
    for (const { from, to } of spans) {
      const window = `from=${from}&to=${to}`;
      for (const archived of [false, true]) {
        const path = `outcomes?${window}&archived=${archived}`;
        const expected = outcomesOf(histories, { from, to }, { archived });
        expect(await read(path)).toEqual({ from, to, truncated: false, ...expected });
      }
      expect(await read(`outcomes?${window}&taxonomyCode=${TAXONOMY}`)).toEqual({
        from,
        to,
        truncated: false,
        ...outcomesOf(ofCode(), { from, to }, { archived: false }),
      });
    }
  });

  test.each([
    ["hour", HOUR_MS],
    ["day", 24 * HOUR_MS],
    ["week", 168 * HOUR_MS],
  ])("throughput by %s counts the events in each bucket", async (bucket, lengthMs) => {
    const times = spans.flatMap(({ from, to }) => [from, to]).toSorted();
    const to = times.at(-1) ?? "";
    // Hourly buckets cover almost the longest window that is allowed; the others cover the whole history.
    const from =
      bucket === "hour" ? new Date(Date.parse(to) - 390 * HOUR_MS).toISOString() : (times[0] ?? "");
    for (const [query, some] of [
      ["", histories],
      [`&taxonomyCode=${TAXONOMY}`, ofCode()],
      ["&timeZone=Asia/Kathmandu", histories],
      [`&timeZone=America/St_Johns&taxonomyCode=${TAXONOMY}`, ofCode()],
    ] as const) {
      const answer = await read<Throughput>(
        `throughput?bucket=${bucket}&from=${from}&to=${to}${query}`,
      );
      expect(answer.from <= from && answer.to >= to).toBe(true);
      expect(answer.buckets.length).toBeGreaterThan(2);
      const starts = answer.buckets.map(({ start }) => Date.parse(start));
      expect(starts).toEqual(starts.map((_, index) => Date.parse(answer.from) + index * lengthMs));
      expect(starts.at(-1)).toBe(Date.parse(answer.to) - lengthMs);
      for (const [index, { start, ...counts }] of answer.buckets.entries()) {
        const end = answer.buckets[index + 1]?.start ?? answer.to;
        expect(counts, start).toEqual(throughputOf(some, { from: start, to: end }));
      }
    }
  });

  test("beyond the read limit, statistics cover the newest part and report where it starts", async () => {
    const database = openDatabase(api.database).forTenant(api.tenant.id);
    const events = histories.flatMap((history) => history.events);
    const times = events.map(({ at }) => at).toSorted();
    const now = new Date();
    const days = bucketedWindowOf({ bucket: "day", from: times[0], to: now.toISOString() }, now);
    if (!days.ok) throw new Error("The window is invalid");
    const scope = { window: days.value, taxonomyCode: undefined };
    const all = await readThroughput(database, scope);
    expect(all.truncated).toBe(false);
    const cuts = new Set<number>();
    for (const max of [0, 1, 20, 60, 10_000]) {
      const cut = await readThroughput(database, scope, { max });
      // Only whole days remain, each with the same counts as without a limit.
      expect(cut.buckets).toEqual(all.buckets.slice(all.buckets.length - cut.buckets.length));
      expect(cut.truncated).toBe(cut.buckets.length < all.buckets.length);
      expect(cut.from).toBe(cut.buckets[0]?.start ?? all.to);
      cuts.add(cut.buckets.length);
    }
    expect(cuts.size).toBeGreaterThan(2);

    const tasks = { window: days.value, taxonomyCode: undefined, archived: undefined };
    const funnel = await readOutcomes(database, tasks);
    expect(funnel.truncated).toBe(false);
    const created = events.filter(({ type }) => type === "task_created").map(({ at }) => at);
    const newest = created.toSorted().toReversed();
    const some = await readOutcomes(database, tasks, { max: 3 });
    expect(some).toMatchObject({ from: newest[3], truncated: true });
    expect(some.tasks).toBeLessThanOrEqual(3);
    const { tasks: expected } = await readOutcomes(database, {
      ...tasks,
      window: { from: newest[2] ?? "", to: days.value.to },
    });
    expect(some.tasks).toBe(expected);
  });

  test("stage times cover the stays that ended in the window and the tasks that wait now", async () => {
    let stays = 0;
    for (const { from, to } of spans) {
      for (const [query, some] of [
        ["", histories],
        [`&taxonomyCode=${TAXONOMY}`, ofCode()],
      ] as const) {
        const answer = await read<StageTimes>(`stage-times?from=${from}&to=${to}${query}`);
        const expected = stageTimesOf(some, { from, to });
        expect(answer).toMatchObject({ from, to, truncated: false });
        for (const [index, { seconds, ...stage }] of expected.entries()) {
          const { seconds: answered, ...counted } = answer.stages[index] ?? expect.fail("No stage");
          expect(counted).toEqual(stage);
          stays += stage.stays;
          if (seconds === null) expect(answered).toBeNull();
          for (const [name, value] of Object.entries(seconds ?? {})) {
            expect(answered?.[name], name).toBeCloseTo(value, 6);
          }
        }
      }
    }
    expect(stays).toBeGreaterThan(0);
  });

  test("failures count closed gates, failed reviews, reworks, and the errors of runs", async () => {
    for (const { from, to } of spans) {
      for (const [query, some] of [
        ["", histories],
        [`&taxonomyCode=${TAXONOMY}`, ofCode()],
      ] as const) {
        const stages = failuresOf(some, { from, to });
        expect(await read(`failures?from=${from}&to=${to}${query}`)).toEqual({ from, to, stages });
      }
    }
  });
});

interface Throughput extends Span {
  buckets: { start: string }[];
}

interface StageTimes extends Span {
  stages: { seconds: Record<string, number> | null }[];
}
