import { parseArgs } from "node:util";

/** The options of `npm run bench`, given after `--`. */
export interface BenchOptions {
  /** The number of tasks in the large database. */
  scale: number;
  /** Only rows whose name contains this text are measured. */
  only: string;
  /** Writes the plans of the hottest statements to bench/plans instead of measuring. */
  isExplaining: boolean;
  /** Recreates the databases. */
  isReset: boolean;
}

const USAGE = `Options (after --):
  --scale N    tasks in the large database, such as 10000, 100000 (default) or 1000000
  --only ROW   measure only the rows whose name contains ROW
  --explain    write the plans of the hottest statements to bench/plans instead of measuring
  --reset      recreate the databases`;

const SCALE_MIN = 10_000;
const SCALE_MAX = 10_000_000;

/**
 * Parses the command line.
 * @throws Error with the usage if it is invalid.
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { scale: scaleText, only, explain, reset } = parseValues(args);
  const scale = Number(scaleText);
  if (!Number.isInteger(scale) || scale < SCALE_MIN || scale > SCALE_MAX) {
    throw new Error(
      `--scale takes a whole number from ${SCALE_MIN} to ${SCALE_MAX}, not "${scaleText}"\n\n${USAGE}`,
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
