import type { Issue } from "../../src/domain/refusals.ts";

/** One thing of a file that is to become a task. */
export interface FileRecord {
  /** Its place among the records, from 1. */
  number: number;
  /** The line that it begins on. */
  line: number;
  value: unknown;
  /** What reading it would change silently, such as a key that stands twice. */
  issues?: readonly Issue[];
}

/** A place that cannot be read. */
export interface FileFault {
  line: number;
  column: number | null;
  fault: string;
}

export type Reading = FileRecord | FileFault;

/** Longer records can be no task, and memory must not grow with a file that has no line breaks. */
export const RECORD_LENGTH_MAX = 8 * 1024 * 1024;
