import { makeBareTables } from "../bare.ts";
import { inTurn, perEach } from "../measure.ts";
import { tasksInReview, toAndFro } from "../moving.ts";
import { openNaiveMover } from "../naive.ts";
import { MOVED_TENANT } from "../populations.ts";
import { atLeastTimesFaster, type Finding, type Row } from "../row.ts";
import type { Stage } from "../stage.ts";

/**
 * In each way, how much faster a bulk has to be, and how many tasks the naive design moves for it: its cost is so much a
 * task, however many there are.
 */
const WAYS = [
  { delayMilliseconds: 0, times: 8, naiveTasks: 1_000 },
  { delayMilliseconds: 5, times: 100, naiveTasks: 200 },
];
const TURNS = 5;
const WARMING_TURNS = 4;
const COUNTS = [1_000, 5_000];

export const bulkAgainstNaive: Row = {
  name: "bulk-against-naive",
  about:
    "bulk execute through the Worker, against one session with a transaction of seven round trips for each task",
  measure: async (stage) => {
    const findings: Finding[] = [];
    for (const way of WAYS) findings.push(...(await measureWay(stage, way)));
    return findings;
  },
};

async function measureWay(
  stage: Stage,
  { delayMilliseconds, times, naiveTasks }: (typeof WAYS)[number],
): Promise<Finding[]> {
  const service = await stage.large({ delayMilliseconds });
  const { taskIds } = await makeBareTables(service, MOVED_TENANT);
  const naive = await openNaiveMover(service, MOVED_TENANT);
  const naiveIds = taskIds.slice(0, naiveTasks);
  const findings: Finding[] = [];
  try {
    for (const count of COUNTS) {
      const tasks = await tasksInReview(service, MOVED_TENANT, count);
      const ids = tasks.map(({ id }) => id);
      const move = toAndFro(service, MOVED_TENANT, ids);
      // Plans, code and connections are warm on both sides; of the naive one each task after the first sees to that.
      for (let time = 0; time < WARMING_TURNS; time += 1) await move();
      const measured = await inTurn(move, () => naive.move(naiveIds), {
        turns: TURNS,
        unmeasured: 0,
        warm: move,
      });
      const perTask = perEach(measured, { figure: count, baseline: naiveTasks });
      const about = `${count} tasks, ${delayMilliseconds} ms away`;
      findings.push(atLeastTimesFaster(times, about, perTask, "ms a task"));
    }
  } finally {
    await naive.end();
  }
  return findings;
}
