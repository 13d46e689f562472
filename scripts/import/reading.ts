import type { Issue } from "../../src/domain/refusals.ts";

/** A record of a file, from which a task can be created. */
export interface FileRecord {
  /** The number of the record in the file, from 1. */
  number: number;
  /** The line on which the record begins. */
  line: number;
  value: unknown;
  /** What parsing would change silently, such as a duplicate key. */
  issues?: readonly Issue[];
}

/** A position at which the file cannot be read, and why. */
export interface FileFault {
  line: number;
  column: number | null;
  fault: string;
}

export type Reading = FileRecord | FileFault;

/** In characters. No task is this long, and the limit keeps a file without line breaks from filling the memory. */
export const RECORD_LENGTH_MAX = 8 * 1024 * 1024;
