import type { RecordOutcome } from "../../src/domain/evals/decide/record.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { ImportedRecord } from "./import-records.ts";

/** The outcomes of a record's data and trials. */
export interface ImportedWork {
  data: Record<"stored" | "exists" | "refused", number>;
  trials: Record<RecordOutcome | "refused", number>;
  /** Why some of them were not imported. */
  issues: Issue[];
}

/** A record whose task exists and whose texts and trials are being imported. */
export interface PendingRecord {
  record: ImportedRecord;
  taskId: string;
  result: ImportedWork;
  /** The task's data, by their keys. */
  stored: Map<string, Stored>;
}

/** A datum of a task. */
export interface Stored {
  id: string;
  kind: string;
  sha256: string;
  isStored: boolean;
}

/** Returns the counts to start with. */
export const emptyWork = (): ImportedWork => ({
  data: { stored: 0, exists: 0, refused: 0 },
  trials: { recorded: 0, exists: 0, conflict: 0, not_found: 0, refused: 0 },
  issues: [],
});

/** Returns the issues with `path` in front of their paths. */
export const prefixPaths = (path: Issue["path"], issues: readonly Issue[]): Issue[] =>
  issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
