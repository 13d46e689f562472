import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageFault } from "../import/usage-fault.ts";
import { PROJECT_DIRECTORY } from "../stack/stack.ts";

/** Fifty tasks of our own. The verdicts in them are made up, by a rule. */
export const EXAMPLES = join(PROJECT_DIRECTORY, "examples", "tasks.jsonl");

const USAGE = `Usage: npm run demo [-- FILE] [--tenant NAME|ID]

Walks the tasks of a file through the service that runs here: import, ingestion, authoring, quality check, submission
and bulk changes. Without FILE it takes examples/tasks.jsonl. A second run finds the tasks where they are.`;

/**
 * Reads the command line.
 * @throws UsageFault when it is not understood.
 */
export function parseDemoCommand(args: readonly string[]): { file: string; tenant: string | null } {
  const { values, positionals } = parseValues(args);
  const [file = EXAMPLES, ...more] = positionals;
  if (more.length > 0) throw new UsageFault(USAGE);
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
    throw new UsageFault(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, {
      cause: error,
    });
  }
}
