import { type FileHandle, open } from "node:fs/promises";
import type { ImportOutcome } from "../../src/actions/import-tasks.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { ImportedRecord } from "./import-records.ts";
import type { FileFault } from "./reading.ts";
import { UsageFault } from "./usage-fault.ts";

/** How many records that did not go in are shown; all of them are in the report file. */
const SHOWN_MAX = 20;

/** Counts what became of the records, and keeps the first that did not go in: memory stays flat. */
export class ImportTally {
  readonly counts: Record<ImportOutcome, number> = { created: 0, exists: 0, invalid: 0 };
  readonly shown: ImportedRecord[] = [];

  get total(): number {
    return this.counts.created + this.counts.exists + this.counts.invalid;
  }

  add(records: readonly ImportedRecord[]): void {
    for (const record of records) {
      this.counts[record.outcome] += 1;
      const isShown = record.outcome === "invalid" && this.shown.length < SHOWN_MAX;
      if (isShown) this.shown.push(record);
    }
  }

  /** The tally as lines for a terminal. */
  render({ isDryRun }: { isDryRun: boolean }): string {
    const { created, exists, invalid } = this.counts;
    const lines = [
      `${isDryRun ? "would be created" : "created"} ${created}, exists ${exists}, invalid ${invalid}`,
      ...this.shown.map(invalidLine),
    ];
    const unshown = invalid - this.shown.length;
    if (unshown > 0) lines.push(`  … and ${unshown} more; --report FILE writes down all of them`);
    return lines.join("\n");
  }
}

function invalidLine({ line, externalId, issues = [] }: ImportedRecord): string {
  const why = issues.map(issueText).join("; ");
  return `  line ${line}${externalId === null ? "" : `  ${externalId}`}  ${why}`;
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
  write: (records: readonly ImportedRecord[]) => Promise<void>;
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
    write: async (records) => {
      await file.write(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    },
    close: () => file.close(),
  };
}
