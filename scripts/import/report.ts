import { type FileHandle, open } from "node:fs/promises";
import type { ImportOutcome } from "../../src/actions/tasks/import-tasks.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { ImportedLine } from "./import-work.ts";
import type { FileFault } from "./reading.ts";
import { ExpectedSummaries } from "./summaries.ts";
import type { ImportedWork } from "./underway.ts";
import { UsageFault } from "./usage-fault.ts";

/** How many records that did not go in whole are shown; all of them are in the report file. */
const SHOWN_MAX = 20;

/** Counts what became of the records, and keeps the first that did not go in whole: memory stays flat. */
export class ImportTally {
  readonly counts: Record<ImportOutcome, number> = { created: 0, exists: 0, invalid: 0 };
  readonly data: ImportedWork["data"] = { stored: 0, exists: 0, refused: 0 };
  readonly trials: ImportedWork["trials"] = {
    recorded: 0,
    exists: 0,
    conflict: 0,
    not_found: 0,
    refused: 0,
  };
  readonly expected = new ExpectedSummaries();
  readonly shown: ImportedLine[] = [];
  #incomplete = 0;

  get total(): number {
    return this.counts.created + this.counts.exists + this.counts.invalid;
  }

  /** Whether every record is in with all that belongs to it. */
  get isWhole(): boolean {
    return this.#incomplete === 0;
  }

  add(lines: readonly ImportedLine[]): void {
    for (const line of lines) {
      const { record, work } = line;
      this.counts[record.outcome] += 1;
      if (work !== null) {
        addTo(this.data, work.data);
        addTo(this.trials, work.trials);
        this.expected.add(record.work);
      }
      if (issuesIn(line).length === 0 && record.outcome !== "invalid") continue;
      this.#incomplete += 1;
      if (this.shown.length < SHOWN_MAX) this.shown.push(line);
    }
  }

  /** The tally as lines for a terminal. */
  render({ isDryRun }: { isDryRun: boolean }): string {
    const { created, exists, invalid } = this.counts;
    const lines = [
      `${isDryRun ? "would be created" : "created"} ${created}, exists ${exists}, invalid ${invalid}`,
      ...countsLine("data", this.data),
      ...countsLine("trials", this.trials),
      ...this.shown.map(incompleteLine),
    ];
    const unshown = this.#incomplete - this.shown.length;
    if (unshown > 0) lines.push(`  … and ${unshown} more; --report FILE writes down all of them`);
    return lines.join("\n");
  }
}

function addTo<Name extends string>(sums: Record<Name, number>, counts: Record<Name, number>) {
  for (const name of namesOf(counts)) sums[name] += counts[name];
}

/** The object has no other keys than its type says. */
const namesOf = <Name extends string>(counts: Record<Name, number>) =>
  Object.keys(counts) as Name[];

/** Counts that all are naught are told as little as those of outcomes that did not occur. */
function countsLine(title: string, counts: Record<string, number>): string[] {
  const told = Object.entries(counts).filter(([, times]) => times > 0);
  const words = told.map(([name, times]) => `${name.replace("_", " ")} ${times}`);
  return words.length === 0 ? [] : [`${title}: ${words.join(", ")}`];
}

const issuesIn = ({ record, work }: ImportedLine): readonly Issue[] => [
  ...(record.issues ?? []),
  ...(work?.issues ?? []),
];

function incompleteLine(line: ImportedLine): string {
  const { record } = line;
  const why = issuesIn(line).map(issueText).join("; ");
  const name = record.externalId === null ? "" : `  ${record.externalId}`;
  return `  line ${record.line}${name}  ${why}`;
}

function issueText({ path, code, message }: Issue): string {
  return `${path.length === 0 ? "" : `${path.join(".")}: `}${message} (${code})`;
}

/** A place that cannot be read, as editors and terminals make a link of it. */
export function faultLine(path: string, { line, column, fault }: FileFault): string {
  return `${path}:${line}${column === null ? "" : `:${column}`}  ${fault}`;
}

/** What became of each record, written down as JSON Lines while it happens. */
export interface ReportFile {
  write: (lines: readonly ImportedLine[]) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens the report before anything is sent: a path that cannot be written would be learned of too late.
 * @throws UsageFault
 */
export async function openReport(path: string): Promise<ReportFile> {
  let file: FileHandle;
  try {
    file = await open(path, "w");
  } catch (error) {
    throw new UsageFault(`The report cannot be written: ${String(error)}`, { cause: error });
  }
  return {
    write: async (lines) => {
      await file.write(lines.map((line) => `${JSON.stringify(reported(line))}\n`).join(""));
    },
    close: () => file.close(),
  };
}

function reported(told: ImportedLine) {
  const { line, externalId, outcome, id } = told.record;
  const issues = issuesIn(told);
  const work = told.work === null ? {} : { data: told.work.data, trials: told.work.trials };
  return { line, externalId, outcome, id, ...work, ...(issues.length > 0 && { issues }) };
}
