import { createBareTables } from "../bare.ts";
import { measureInTurns, perItem } from "../measure.ts";
import { tasksInReview, backAndForth } from "../moves.ts";
import { openNaiveMover } from "../naive.ts";
import { MOVED_TENANT } from "../populations.ts";
import { atLeastTimesFaster, type Finding, type Row } from "../row.ts";
import type { Environment } from "../environment.ts";

/**
 * For each delay to the database: how many times faster a bulk change must be, and how many tasks the naive design
 * moves. A smaller number is enough there, because its cost per task does not depend on the number.
 */
const CASES = [
  { delayMilliseconds: 0, times: 8, naiveTasks: 1_000 },
  { delayMilliseconds: 5, times: 100, naiveTasks: 200 },
];
const TURNS = 5;
const WARM_UP_TURNS = 4;
const COUNTS = [1_000, 5_000];

export const bulkAgainstNaive: Row = {
  name: "bulk-against-naive",
  about:
    "bulk execute through the Worker, against one session with a transaction of seven round trips per task",
  measure: async (environment) => {
    const findings: Finding[] = [];
    for (const one of CASES) findings.push(...(await measureCase(environment, one)));
    return findings;
  },
};

async function measureCase(
  environment: Environment,
  { delayMilliseconds, times, naiveTasks }: (typeof CASES)[number],
): Promise<Finding[]> {
  const service = await environment.large({ delayMilliseconds });
  const { taskIds } = await createBareTables(service, MOVED_TENANT);
  const naive = await openNaiveMover(service, MOVED_TENANT);
  const naiveIds = taskIds.slice(0, naiveTasks);
  const findings: Finding[] = [];
  try {
    for (const count of COUNTS) {
      const tasks = await tasksInReview(service, MOVED_TENANT, count);
      const ids = tasks.map(({ id }) => id);
      const move = backAndForth(service, MOVED_TENANT, ids);
      // Warm up plans, code and connections. The naive side is warm after its first task.
      for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await move();
      const measured = await measureInTurns(move, () => naive.move(naiveIds), {
        turns: TURNS,
        warmUpTurns: 0,
        beforeFigure: move,
      });
      const perTask = perItem(measured, { figure: count, baseline: naiveTasks });
      const about = `${count} tasks, ${delayMilliseconds} ms to the database`;
      findings.push(atLeastTimesFaster(times, about, perTask, "ms per task"));
    }
  } finally {
    await naive.end();
  }
  return findings;
}
