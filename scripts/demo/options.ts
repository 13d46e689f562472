import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../import/usage-error.ts";
import { PROJECT_DIRECTORY } from "../stack/stack.ts";

/** Fifty example tasks. Their verdicts are invented. */
export const EXAMPLES = join(PROJECT_DIRECTORY, "examples", "tasks.jsonl");

const USAGE = `Usage: npm run demo [-- FILE] [--tenant NAME|ID]

Imports the tasks of FILE (default: examples/tasks.jsonl) into the local stack, and takes them through ingestion,
authoring, the quality check, submission and bulk changes. A second run continues from the tasks' current states.`;

/**
 * Parses the command line.
 * @throws UsageError if it is invalid.
 */
export function parseDemoCommand(args: readonly string[]): { file: string; tenant: string | null } {
  const { values, positionals } = parseValues(args);
  const [file = EXAMPLES, ...extra] = positionals;
  if (extra.length > 0) throw new UsageError(USAGE);
  return { file, tenant: values.tenant ?? null };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { tenant: { type: "string" } },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, {
      cause: error,
    });
  }
}
