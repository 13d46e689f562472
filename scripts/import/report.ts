import { type FileHandle, open } from "node:fs/promises";
import type { ImportOutcome } from "../../src/actions/tasks/import-tasks.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { ImportedLine } from "./import-work.ts";
import type { FileFault } from "./reading.ts";
import { ExpectedSummaries } from "./summaries.ts";
import type { ImportedWork } from "./pending-record.ts";
import { UsageError } from "./usage-error.ts";

/** How many incomplete records are shown. The report file has all of them. */
const SHOWN_MAX = 20;

/** Counts the outcomes of the records. Keeps only the first incomplete records, so that memory use stays constant. */
export class ImportTally {
  readonly counts: Record<ImportOutcome, number> = {
    created: 0,
    exists: 0,
    differs: 0,
    invalid: 0,
  };
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
    const { created, exists, differs, invalid } = this.counts;
    return created + exists + differs + invalid;
  }

  /** True if every record was imported, with all its data and trials. */
  get isComplete(): boolean {
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

  /** Returns the tally as lines for a terminal. */
  render({ isDryRun }: { isDryRun: boolean }): string {
    const { created, exists, differs, invalid } = this.counts;
    const lines = [
      `${isDryRun ? "would be created" : "created"} ${created}, exists ${exists}, differs ${differs}, invalid ${invalid}`,
      ...countsLine("data", this.data),
      ...countsLine("trials", this.trials),
      ...this.shown.map(incompleteLine),
    ];
    const hidden = this.#incomplete - this.shown.length;
    if (hidden > 0) lines.push(`  … and ${hidden} more; --report FILE lists them all`);
    return lines.join("\n");
  }
}

function addTo<Name extends string>(sums: Record<Name, number>, counts: Record<Name, number>) {
  for (const name of namesOf(counts)) sums[name] += counts[name];
}

/** The cast is safe: the objects have only the keys of their type. */
const namesOf = <Name extends string>(counts: Record<Name, number>) =>
  Object.keys(counts) as Name[];

/** Returns the counts that are not zero as one line, or no line if all are zero. */
function countsLine(title: string, counts: Record<string, number>): string[] {
  const nonZero = Object.entries(counts).filter(([, count]) => count > 0);
  const words = nonZero.map(([name, count]) => `${name.replace("_", " ")} ${count}`);
  return words.length === 0 ? [] : [`${title}: ${words.join(", ")}`];
}

const issuesIn = ({ record, work }: ImportedLine): readonly Issue[] => [
  ...(record.issues ?? []),
  ...(work?.issues ?? []),
];

function incompleteLine(line: ImportedLine): string {
  const { record } = line;
  const issues = issuesIn(line).map(issueText).join("; ");
  const name = record.externalId === null ? "" : `  ${record.externalId}`;
  return `  line ${record.line}${name}  ${issues}`;
}

function issueText({ path, code, message }: Issue): string {
  return `${path.length === 0 ? "" : `${path.join(".")}: `}${message} (${code})`;
}

/** Returns a fault as `path:line:column  message`, which editors and terminals turn into a link. */
export function faultLine(path: string, { line, column, fault }: FileFault): string {
  return `${path}:${line}${column === null ? "" : `:${column}`}  ${fault}`;
}

/** A file of JSON Lines with the outcome of each record, written as the import proceeds. */
export interface ReportFile {
  write: (lines: readonly ImportedLine[]) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens the report file. Call it before anything is sent, so that a path that cannot be written is reported in time.
 * @throws UsageError if the file cannot be opened.
 */
export async function openReport(path: string): Promise<ReportFile> {
  let file: FileHandle;
  try {
    file = await open(path, "w");
  } catch (error) {
    throw new UsageError(`Cannot write the report: ${String(error)}`, { cause: error });
  }
  return {
    write: async (lines) => {
      await file.write(lines.map((line) => `${JSON.stringify(reportOf(line))}\n`).join(""));
    },
    close: () => file.close(),
  };
}

function reportOf(imported: ImportedLine) {
  const { line, externalId, outcome, id } = imported.record;
  const issues = issuesIn(imported);
  const { work } = imported;
  const counts = work === null ? {} : { data: work.data, trials: work.trials };
  return { line, externalId, outcome, id, ...counts, ...(issues.length > 0 && { issues }) };
}
