import type { ApiClient } from "../import/api-client.ts";
import { inParallel } from "../import/in-parallel.ts";
import { stageTimes, type StageTimes, throughput } from "./api.ts";
import type { Day } from "./daily-tables.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Returns the service's statistics of the days (by UTC) from that of `from` to that of `to`, and the stage times of all of
 * them together. Times are in milliseconds since 1970.
 */
export async function readDays(
  client: ApiClient,
  { from, to }: { from: number; to: number },
): Promise<{ days: Day[]; all: StageTimes }> {
  const begin = Math.floor(from / DAY_MS) * DAY_MS;
  const end = Math.max(begin + DAY_MS, Math.ceil(to / DAY_MS) * DAY_MS);
  const { buckets } = await client.call(
    { method: "GET", path: `/stats/throughput?bucket=day&${windowOf(begin, end)}` },
    throughput,
  );
  const readStages = async (start: number, after: number) => {
    const path = `/stats/stage-times?${windowOf(start, after)}`;
    return (await client.call({ method: "GET", path }, stageTimes)).stages;
  };
  const days: Day[] = buckets.map((bucket) => ({ throughput: bucket, stages: [] }));
  await inParallel(days, async (day) => {
    const start = Date.parse(day.throughput.start);
    day.stages = await readStages(start, start + DAY_MS);
  });
  return { days, all: await readStages(begin, end) };
}

function windowOf(from: number, to: number): string {
  const iso = (at: number) => encodeURIComponent(new Date(at).toISOString());
  return `from=${iso(from)}&to=${iso(to)}`;
}
