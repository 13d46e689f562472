import { parseArgs } from "node:util";
import { SEED_DAYS_DEFAULT, SEED_DAYS_MAX, SEED_DAYS_MIN } from "../../src/domain/seed/settings.ts";
import { UsageError } from "../import/usage-error.ts";

/** The command line of `npm run seed`. */
export interface SeedCommand {
  url: string | null;
  key: string | null;
  tenant: string | null;
  seed: number;
  tasks: number;
  days: number;
  /** Simulated seconds per second. 0 tells the whole story at once. */
  speed: number;
  /** How many of the days are told at once, before the story goes on at its speed. */
  atOnce: number;
  /** What to do with the newest story: nothing but show it, archive its tasks first, or nothing. */
  newest: "show" | "replace" | null;
  /** Redraws the chart while the story is told. */
  watch: boolean;
  /** The number of days before the present that the chart shows. Null for all. */
  last: number | null;
}

const SEED_MAX = 2 ** 31 - 1;
const TASKS_MAX = 20_000;
const SPEED_MAX = 604_800;
const TASKS_DEFAULT = 120;
const WEEK = 7;

const USAGE = `Usage: npm run seed [-- OPTIONS]

Tells the story of a simulated team in a demo tenant, and prints what became of its tasks.

  --seed N       the same seed gives the same story (default: 1)
  --tasks N      default: ${TASKS_DEFAULT}
  --days N       how long the story is: ${SEED_DAYS_MIN} to ${SEED_DAYS_MAX} (default: ${SEED_DAYS_DEFAULT})
  --speed N      simulated seconds per second: 10080 is a week in a minute (default: 0, everything at once)
  --at-once N    with --speed: how many days are told at once (default: all but the last ${WEEK})
  --watch        redraw the chart while the story is told
  --last N       the chart covers only the last N days
  --show         start nothing; show the newest story
  --replace      archive the tasks of the newest story first
  --tenant NAME  a demo of the local stack, by name or id (default: its first demo)
  --url URL, --key KEY   another service; the key needs the role admin (or STEPLEDGER_KEY)`;

/**
 * Parses the command line.
 * @throws UsageError if it is invalid.
 */
export function parseSeedCommand(
  args: readonly string[],
  { key = null }: { key?: string | null } = {},
): SeedCommand {
  const values = parseValues(args);
  if (values.show && values.replace) throw usageError("--show and --replace exclude each other.");
  const days = number("days", values.days, [SEED_DAYS_MIN, SEED_DAYS_MAX]) ?? SEED_DAYS_DEFAULT;
  const speed = number("speed", values.speed, [0, SPEED_MAX]) ?? 0;
  const atOnce = number("at-once", values["at-once"], [0, days]);
  if (atOnce !== null && speed === 0) throw usageError("--at-once requires --speed.");
  return {
    url: values.url ?? null,
    key: values.key ?? key,
    tenant: values.tenant ?? null,
    seed: number("seed", values.seed, [0, SEED_MAX]) ?? 1,
    tasks: number("tasks", values.tasks, [1, TASKS_MAX]) ?? TASKS_DEFAULT,
    days,
    speed,
    atOnce: atOnce ?? (speed === 0 ? days : days - WEEK),
    newest: values.show ? "show" : values.replace ? "replace" : null,
    watch: values.watch,
    last: number("last", values.last, [1, SEED_DAYS_MAX]),
  };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: "string" },
        tasks: { type: "string" },
        days: { type: "string" },
        speed: { type: "string" },
        "at-once": { type: "string" },
        watch: { type: "boolean", default: false },
        last: { type: "string" },
        show: { type: "boolean", default: false },
        replace: { type: "boolean", default: false },
        tenant: { type: "string" },
        url: { type: "string" },
        key: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), error);
  }
}

function number(name: string, text: string | undefined, [min, max]: [number, number]) {
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw usageError(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`);
}

function usageError(message: string, cause?: unknown): UsageError {
  return new UsageError(`${message}\n\n${USAGE}`, { cause });
}
