import { extname } from "node:path";
import { readCsv } from "./csv.ts";
import { readJsonArray } from "./json-array.ts";
import { readJsonLines } from "./json-lines.ts";
import type { Reading } from "./reading.ts";
import { MalformedFile, readText } from "./text.ts";

const FILE_FORMATS = ["json-lines", "json-array", "csv"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const READERS = {
  "json-lines": readJsonLines,
  "json-array": readJsonArray,
  csv: readCsv,
} as const satisfies Record<FileFormat, (path: string) => AsyncIterable<Reading>>;

/** Yields the records of a file, with only one in memory. Continues after a fault if the format allows it. */
export async function* readRecords(path: string, format: FileFormat): AsyncGenerator<Reading> {
  try {
    yield* READERS[format](path);
  } catch (error) {
    if (!(error instanceof MalformedFile)) throw error;
    yield { line: error.line, column: error.column, fault: error.message };
  }
}

/** Returns the format by extension. For others, and for `.json`, which can be two formats, the first character decides. */
export async function detectFormat(path: string): Promise<FileFormat> {
  const extension = extname(path).toLowerCase();
  if (extension === ".jsonl" || extension === ".ndjson") return "json-lines";
  if (extension === ".csv" || extension === ".tsv") return "csv";
  const first = await firstCharacter(path);
  if (first === "[") return "json-array";
  return first === "{" || extension === ".json" ? "json-lines" : "csv";
}

async function firstCharacter(path: string): Promise<string> {
  for await (const text of readText(path)) {
    const trimmed = text.trimStart();
    if (trimmed !== "") return trimmed.charAt(0);
  }
  return "";
}
