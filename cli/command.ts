import type { Stepledger } from "../client/index.ts";
import { type ExitCode, UsageFault } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is run with. */
export interface Context {
  terminal: Terminal;
  /** The service, as whoever is logged in. */
  connect: () => Promise<Stepledger>;
}

export interface Command {
  /** The words that call it. */
  name: string;
  summary: string;
  usage: string;
  run: (args: string[], context: Context) => Promise<ExitCode>;
}

/** Options that every command takes. */
export const COMMON_OPTIONS = {
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * Reads a command's arguments.
 * @throws UsageFault where they are not understood.
 */
export function understood<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    throw new UsageFault(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @throws UsageFault unless exactly one task, or whatever it is called, was named. */
export function onlyOne(names: readonly string[], what: string): string {
  const [name, ...more] = names;
  if (name === undefined) throw new UsageFault(`${what} is missing.`);
  if (more.length > 0) throw new UsageFault(`One ${what} at a time, not also "${more.join(" ")}".`);
  return name;
}

/** @throws UsageFault unless it is a whole number that is not below the least one. */
export function wholeNumber(option: string, given: string, least = 1): number {
  const number = given.trim() === "" ? Number.NaN : Number(given);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageFault(`${option} takes a whole number from ${least}, not "${given}".`);
}
