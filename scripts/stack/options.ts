import { parseArgs } from "node:util";

/** The options of `npm run dev` and `npm run preview`, given after `--`. */
export interface StackOptions {
  port: number;
  /** Deletes the data and keys of earlier runs first. */
  isReset: boolean;
  /** Starts without the story of the simulated team. */
  isEmpty: boolean;
  /** How many tasks that story has, if it is told for the first time. */
  storyTasks: number;
  /** Requests per minute for each key. Null means no limit. */
  rateLimit: number | null;
}

/** More would keep a local stack busy for a long time. */
const STORY_TASKS_MAX = 1000;

const USAGE = `Options (after --):
  --port N         the port of the service (default: 8787)
  --reset          delete the data and keys of earlier runs first
  --empty          start without the story of the simulated team, which only \`npm run dev\` tells
  --tasks N        the number of tasks of that story, when it is told for the first time (default: 180)
  --rate-limit N   limit each key to N requests per minute (default: no limit)`;

/**
 * Parses the command line.
 * @throws with the usage if an argument is invalid.
 */
export function parseStackOptions(args: readonly string[]): StackOptions {
  const values = parseValues(args);
  const rateLimit = values["rate-limit"];
  return {
    port: wholeNumber("--port", values.port, 65_535),
    isReset: values.reset,
    isEmpty: values.empty,
    storyTasks: wholeNumber("--tasks", values.tasks, STORY_TASKS_MAX),
    rateLimit: rateLimit === undefined ? null : wholeNumber("--rate-limit", rateLimit, 1_000_000),
  };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string", default: "8787" },
        reset: { type: "boolean", default: false },
        empty: { type: "boolean", default: false },
        // A team of a size that a person can get to know: two weeks of its tasks fit on a screen.
        tasks: { type: "string", default: "180" },
        "rate-limit": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, {
      cause: error,
    });
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > max) {
    throw new Error(`${name} must be a whole number from 1 to ${max}, not "${text}"\n\n${USAGE}`);
  }
  return number;
}
