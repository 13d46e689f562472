import { parseArgs } from "node:util";
import { STEP_KINDS, type StepKind } from "../../src/domain/lifecycle/statuses.ts";
import { IMPORT_MAX } from "../../src/routes/tasks.ts";
import { MAPPINGS, type MappingName } from "./mappings.ts";
import { UsageFault } from "./usage-fault.ts";

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

export const IMPORT_USAGE = `Usage: npm run import -- FILE [options]

FILE is JSON Lines, a JSON array or CSV with a header. A record has the shape of POST /v1/tasks; CSV columns are
title, externalId, taxonomyCode, priority, assignee, brief, instructions, and all others become metadata. A record
without an external id gets the file's name and its own number. What is there already stays as it is: start an import
again to continue it.

Beside the task a JSON record may bear what belongs to it, and the summary of its evaluations is told at the end:
  "data":  [{ "kind": "golden", "text": "…" }]
  "evals": [{ "name": "…", "k": 1, "trials": [{ "k": 1, "model": "…", "passed": true, "output": "…" }] }]

  --tenant NAME|ID   a tenant of the stack that runs here (the first)
  --url URL          where the service is (the stack that runs here)
  --key KEY          an operator's key, also in STEPLEDGER_KEY (that of the stack)
  --mapping NAME     ${MAPPINGS.join(" or ")}: what a record looks like (auto)
  --start KIND       where the work already is, such as ${STEP_KINDS[3]}; takes a reviewer's key
  --only tasks       leave aside data and evals
  --batch N          records in a request, 1 to ${IMPORT_MAX} (${IMPORT_MAX})
  --dry-run          judge every record and send none
  --report FILE      write what became of each record, as JSON Lines

Ends with 0 when everything is in, 1 when some records are not, 2 when nothing could be done.`;

/**
 * Reads the command line.
 * @throws UsageFault when it is not understood.
 */
export function parseImportCommand(args: readonly string[]): ImportCommand {
  const { values, positionals } = parseValues(args);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageFault(IMPORT_USAGE);
  return {
    file,
    tenant: values.tenant ?? null,
    url: values.url ?? null,
    key: values.key ?? null,
    mapping: oneOf("--mapping", values.mapping, MAPPINGS),
    start: values.start === undefined ? null : oneOf("--start", values.start, STEP_KINDS),
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
    throw new UsageFault(
      `${error instanceof Error ? error.message : String(error)}\n\n${IMPORT_USAGE}`,
      { cause: error },
    );
  }
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === given);
  if (name !== undefined) return name;
  throw new UsageFault(`${option} takes ${names.join(", ")}, not "${given}"\n\n${IMPORT_USAGE}`);
}

function batchSize(given: string): number {
  const size = Number(given);
  if (Number.isInteger(size) && size >= 1 && size <= IMPORT_MAX) return size;
  throw new UsageFault(
    `--batch takes a whole number from 1 to ${IMPORT_MAX}, not "${given}"\n\n${IMPORT_USAGE}`,
  );
}
