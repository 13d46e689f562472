import { parseArgs } from "node:util";

/** What `npm run bench` takes after `--`. */
export interface BenchOptions {
  /** How many tasks the large database has. */
  scale: number;
  /** Only the rows whose name has this in it. */
  only: string;
  /** Keeps the plans of the hottest statements under bench/plans, in place of measuring. */
  isExplaining: boolean;
  /** Makes the databases anew, whether or not they are there already. */
  isReset: boolean;
}

const USAGE = `Options (after --):
  --scale N    tasks in the large database: 10000, 100000 (as is) or 1000000
  --only ROW   only the rows whose name has this in it
  --explain    keep the plans of the hottest statements under bench/plans instead
  --reset      make the databases anew`;

const SCALE_MIN = 10_000;
const SCALE_MAX = 10_000_000;

/**
 * Reads the command line.
 * @throws with the usage when it is not understood.
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { scale: written, only, explain, reset } = parseValues(args);
  const scale = Number(written);
  if (!Number.isInteger(scale) || scale < SCALE_MIN || scale > SCALE_MAX) {
    throw new Error(
      `--scale takes a whole number from ${SCALE_MIN} to ${SCALE_MAX}, not "${written}"\n\n${USAGE}`,
    );
  }
  return { scale, only, isExplaining: explain, isReset: reset };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scale: { type: "string", default: "100000" },
        only: { type: "string", default: "" },
        explain: { type: "boolean", default: false },
        reset: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, {
      cause: error,
    });
  }
}
