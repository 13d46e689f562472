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
import { memory } from "./rows/memory.ts";
import { roundTrips } from "./rows/round-trips.ts";
import { searchScale } from "./rows/search-scale.ts";
import { singleTransitions } from "./rows/single-transitions.ts";
import { Environment } from "./environment.ts";

/** The rows of the budget table. Rows that only read come first, while the tables are as they were loaded. */
const ROWS: readonly Row[] = [
  labelPageDepth,
  labelPageScale,
  searchScale,
  liveSortScale,
  liveSortInMemory,
  roundTrips,
  memory,
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
// Sockets that the Workers simulator leaves open would keep the process alive.
process.exit();

/** Measures the selected rows. Returns the exit code: 1 if a budget is missed. */
async function run(options: BenchOptions): Promise<number> {
  const named = ROWS.filter(({ name }) => name === options.only);
  const rows = named.length > 0 ? named : ROWS.filter(({ name }) => name.includes(options.only));
  if (rows.length === 0) {
    const names = ROWS.map(({ name }) => name).join(", ");
    throw new Error(`No row has a name that contains "${options.only}". The rows are: ${names}`);
  }
  const environment = await Environment.start(options);
  const results: Result[] = [];
  try {
    if (options.isExplaining) {
      await explain(environment);
      return 0;
    }
    console.log(`\n${options.scale} tasks\n\n${HEADING}`);
    for (const row of rows) {
      const result = { row, findings: await row.measure(environment) };
      results.push(result);
      console.log(renderResult(result));
      await environment.closeServices();
    }
  } finally {
    await environment.stop();
  }
  await writeResults(RESULTS, options.scale, results);
  const missed = results.flatMap(({ findings }) => findings.filter((found) => !isMet(found)));
  console.log(
    missed.length === 0 ? "\nEvery budget is met." : `\nBudgets missed: ${missed.length}.`,
  );
  return missed.length === 0 ? 0 : 1;
}
