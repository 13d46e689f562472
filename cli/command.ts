import type { Stepledger } from "../client/index.ts";
import { type ExitCode, UsageError } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

export interface Context {
  terminal: Terminal;
  /** Returns a client that uses the account from the environment or from `login`. */
  connect: () => Promise<Stepledger>;
}

export interface Command {
  /** The words after `stepledger` that select the command. */
  name: string;
  /** A phrase that begins with an imperative verb, in lower case and without a period. */
  summary: string;
  usage: string;
  run: (args: string[], context: Context) => Promise<ExitCode>;
}

/** Options that every command accepts. */
export const COMMON_OPTIONS = {
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * Returns what `parse` returns.
 * @throws UsageError with the message of whatever `parse` throws.
 */
export function parseOrThrow<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/**
 * Returns the only element of `names`.
 * @throws UsageError unless there is exactly one. The message calls the argument `placeholder`, such as TASK.
 */
export function requireOne(names: readonly string[], placeholder: string): string {
  const [name, ...extra] = names;
  if (name === undefined) throw new UsageError(`${placeholder} is missing.`);
  if (extra.length > 0) {
    throw new UsageError(`Give one ${placeholder}; "${extra.join(" ")}" is too many.`);
  }
  return name;
}

/** @throws UsageError unless `given` is a whole number of at least `min`. */
export function parseWholeNumber(option: string, given: string, min = 1): number {
  const number = given.trim() === "" ? Number.NaN : Number(given);
  if (Number.isSafeInteger(number) && number >= min) return number;
  throw new UsageError(`${option} takes a whole number of at least ${min}, not "${given}".`);
}
