import { parseArgs } from "node:util";

/** What `npm run dev` and `npm run preview` take after `--`. */
export interface StackOptions {
  port: number;
  /** Throws away the data and the keys of earlier starts first. */
  isReset: boolean;
  /** Makes the tenants and their keys alone. */
  isEmpty: boolean;
  /** Requests a minute for each key; null: no limit. */
  rateLimit: number | null;
}

const USAGE = `Options (after --):
  --port N         where the service listens (8787)
  --reset          start anew: throw away data and keys
  --empty          tenants and keys alone, no demo data
  --rate-limit N   at most N requests a minute for each key (no limit)`;

/**
 * Reads the command line.
 * @throws with the usage when it is not understood.
 */
export function parseStackOptions(args: readonly string[]): StackOptions {
  const values = parseValues(args);
  const rateLimit = values["rate-limit"];
  return {
    port: wholeNumber("--port", values.port, 65_535),
    isReset: values.reset,
    isEmpty: values.empty,
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
    throw new Error(`${name} takes a whole number from 1 to ${max}, not "${text}"\n\n${USAGE}`);
  }
  return number;
}
