import { join } from "node:path";
import { STACK_DIRECTORY } from "../scripts/stack/stack.ts";
import { OFFLINE_ENVIRONMENT } from "../scripts/stack/wrangler.ts";
import { explain } from "./explain.ts";
import { parseBenchOptions, type BenchOptions } from "./options.ts";
import { HEADING, renderResult, type Result, writeResults } from "./report.ts";
import { isMet, type Row } from "./row.ts";
import { bulkAgainstBare } from "./rows/bulk-against-bare.ts";
import { bulkAgainstNaive } from "./rows/bulk-against-naive.ts";
import { bulkGrowth } from "./rows/bulk-growth.ts";
import { hashChain } from "./rows/hash-chain.ts";
import { labelPageDepth } from "./rows/label-page-depth.ts";
import { labelPageScale } from "./rows/label-page-scale.ts";
import { liveSortInMemory } from "./rows/live-sort-in-memory.ts";
import { liveSortScale } from "./rows/live-sort-scale.ts";
import { roundTrips } from "./rows/round-trips.ts";
import { searchScale } from "./rows/search-scale.ts";
import { singleTransitions } from "./rows/single-transitions.ts";
import { Stage } from "./stage.ts";

/** The budget tables, line by line. What only reads comes first, as long as the tables are as they were loaded. */
const ROWS: readonly Row[] = [
  labelPageDepth,
  labelPageScale,
  searchScale,
  liveSortScale,
  liveSortInMemory,
  roundTrips,
  singleTransitions,
  bulkAgainstBare,
  hashChain,
  bulkGrowth,
  bulkAgainstNaive,
];

const RESULTS = join(STACK_DIRECTORY, "bench", "results.json");

Object.assign(process.env, OFFLINE_ENVIRONMENT);
try {
  process.exitCode = await run(parseBenchOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
// Sockets that the platform's simulator leaves open would keep the process.
process.exit();

/** Measures every row that was asked for; 1 when a budget is missed. */
async function run(options: BenchOptions): Promise<number> {
  const rows = ROWS.filter(({ name }) => name.includes(options.only));
  if (rows.length === 0) {
    throw new Error(`There are these rows: ${ROWS.map(({ name }) => name).join(", ")}`);
  }
  const stage = await Stage.set(options);
  const results: Result[] = [];
  try {
    if (options.isExplaining) {
      await explain(stage);
      return 0;
    }
    console.log(`\n${options.scale} tasks\n\n${HEADING}`);
    for (const row of rows) {
      const result = { row, findings: await row.measure(stage) };
      results.push(result);
      console.log(renderResult(result));
      await stage.clear();
    }
  } finally {
    await stage.strike();
  }
  await writeResults(RESULTS, options.scale, results);
  const missed = results.flatMap(({ findings }) => findings.filter((found) => !isMet(found)));
  console.log(
    missed.length === 0 ? "\nEvery budget is met." : `\nBudgets missed: ${missed.length}.`,
  );
  return missed.length === 0 ? 0 : 1;
}
