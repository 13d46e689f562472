import { basename } from "node:path";
import type { Issue } from "../../src/domain/refusals.ts";
import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import { detectMapping, type MappedRecord, type MappingName, mapRecord } from "./mappings.ts";
import type { FileFault } from "./reading.ts";
import { detectFormat, type FileFormat, readRecords } from "./records.ts";

/** How a file will be imported; known before any of it is sent. */
export interface ImportPlan {
  path: string;
  format: FileFormat;
  mapping: MappingName;
  /** How many records it has. */
  total: number;
}

/** The maximum number of faults to report. */
const FAULTS_MAX = 10;

/**
 * Reads the whole file once before anything is sent, so that an unreadable file changes nothing. With `auto`, the first
 * record determines the mapping.
 */
export async function planImport(
  path: string,
  mapping: MappingName,
): Promise<{ plan: ImportPlan; faults?: never } | { plan?: never; faults: FileFault[] }> {
  const format = await detectFormat(path);
  const faults: FileFault[] = [];
  let total = 0;
  let chosen = mapping;
  for await (const reading of readRecords(path, format)) {
    if ("fault" in reading) {
      faults.push(reading);
      if (faults.length === FAULTS_MAX) break;
      continue;
    }
    total += 1;
    if (mapping === "auto" && total === 1) chosen = detectMapping(reading.value);
  }
  return faults.length > 0 ? { faults } : { plan: { path, format, mapping: chosen, total } };
}

/**
 * Yields the mapped records of a planned file. A record whose id an earlier record has is a fault of its own line, since
 * only one of the two can be the task.
 */
export async function* mappedRecords(
  { path, format, mapping }: ImportPlan,
  { start }: { start: StepKind | null },
): AsyncGenerator<MappedRecord> {
  const context = { fileName: basename(path), start };
  const lines = new Map<string, number>();
  for await (const reading of readRecords(path, format)) {
    if ("fault" in reading) throw new Error(`${path} changed while it was read`);
    const mapped = mapRecord(mapping, reading, context);
    if (mapped.body === undefined) {
      yield mapped;
      continue;
    }
    const { line, externalId, isIdDerived } = mapped;
    const identity = externalId.normalize("NFC");
    const earlier = lines.get(identity);
    if (earlier === undefined) lines.set(identity, line);
    yield earlier === undefined
      ? mapped
      : { line, externalId, issues: [repetition(earlier, isIdDerived)] };
  }
}

function repetition(earlier: number, isIdDerived: boolean): Issue {
  const what = isIdDerived ? "content, and neither has an external id" : "external id";
  return {
    path: isIdDerived ? [] : ["externalId"],
    code: "repeated_in_file",
    message: `The record of line ${earlier} has the same ${what}.`,
  };
}
