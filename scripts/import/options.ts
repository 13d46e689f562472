import { parseArgs } from "node:util";
import { STEP_KINDS, type StepKind } from "../../src/domain/lifecycle/statuses.ts";
import { canonicalStage } from "../../src/domain/seed/stages.ts";
import { IMPORT_MAX } from "../../src/routes/tasks.ts";
import { MAPPINGS, type MappingName } from "./mappings.ts";
import { UsageError } from "./usage-error.ts";

export interface ImportCommand {
  file: string;
  tenant: string | null;
  url: string | null;
  key: string | null;
  mapping: MappingName;
  start: StepKind | null;
  isTasksOnly: boolean;
  batchMax: number;
  isDryRun: boolean;
  reportPath: string | null;
}

const IMPORT_USAGE = `Usage: npm run import -- FILE [options]

Imports the records of FILE as tasks. FILE is JSON Lines, a JSON array, or CSV with a header. A JSON record has the
shape of the body of POST /v1/tasks. CSV columns are title, externalId, taxonomyCode, priority, assignee, brief and
instructions; all other columns become metadata. A record without an external id gets one made of its content. Existing
tasks stay as they are, so you can run an interrupted import again to continue it. A record whose id belongs to a task
with another content differs: the import reports how, and attaches nothing of the record to that task.

A JSON record can also have data and evals. The import prints a summary of the evaluations at the end:
  "data":  [{ "kind": "golden", "text": "…" }]
  "evals": [{ "name": "…", "k": 1, "trials": [{ "k": 1, "model": "…", "passed": true, "output": "…" }] }]

  --tenant NAME|ID   a tenant of the local stack (default: the first)
  --url URL          the URL of the service (default: the local stack)
  --key KEY          an operator's key (default: STEPLEDGER_KEY, or the key of the local stack)
  --mapping NAME     the format of the records: ${MAPPINGS.join(" or ")} (default: auto)
  --start KIND       the stage to start at, such as ${STEP_KINDS[3]}, or an alias of it; requires a reviewer's key
  --only tasks       ignore data and evals
  --batch N          records per request, 1 to ${IMPORT_MAX} (default: ${IMPORT_MAX})
  --dry-run          report what the import would do, and change nothing
  --report FILE      write the outcome of each record to FILE, as JSON Lines

Exit codes: 0 everything was imported, 1 some records were not, 2 the import failed.`;

/**
 * Parses the command line.
 * @throws UsageError if it is invalid.
 */
export function parseImportCommand(args: readonly string[]): ImportCommand {
  const { values, positionals } = parseValues(args);
  const [file, ...extra] = positionals;
  if (file === undefined || extra.length > 0) throw new UsageError(IMPORT_USAGE);
  return {
    file,
    tenant: values.tenant ?? null,
    url: values.url ?? null,
    key: values.key ?? null,
    mapping: oneOf("--mapping", values.mapping, MAPPINGS),
    start: values.start === undefined ? null : stage(values.start),
    isTasksOnly: values.only !== undefined && oneOf("--only", values.only, ["tasks"]) === "tasks",
    batchMax: batchSize(values.batch),
    isDryRun: values["dry-run"],
    reportPath: values.report ?? null,
  };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tenant: { type: "string" },
        url: { type: "string" },
        key: { type: "string" },
        mapping: { type: "string", default: "auto" },
        start: { type: "string" },
        only: { type: "string" },
        batch: { type: "string", default: String(IMPORT_MAX) },
        "dry-run": { type: "boolean", default: false },
        report: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(
      `${error instanceof Error ? error.message : String(error)}\n\n${IMPORT_USAGE}`,
      { cause: error },
    );
  }
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === given);
  if (name !== undefined) return name;
  throw new UsageError(`${option} takes ${names.join(", ")}, not "${given}"\n\n${IMPORT_USAGE}`);
}

function batchSize(given: string): number {
  const size = Number(given);
  if (Number.isInteger(size) && size >= 1 && size <= IMPORT_MAX) return size;
  throw new UsageError(
    `--batch takes a whole number from 1 to ${IMPORT_MAX}, not "${given}"\n\n${IMPORT_USAGE}`,
  );
}

function stage(given: string): StepKind {
  return canonicalStage(given) ?? oneOf("--start", given, STEP_KINDS);
}
