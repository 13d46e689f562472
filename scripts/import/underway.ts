import type { RecordOutcome } from "../../src/domain/evals/decide/record.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { ImportedRecord } from "./import-records.ts";

/** What became of all that a record bears beside its task. */
export interface ImportedWork {
  data: Record<"stored" | "exists" | "refused", number>;
  trials: Record<RecordOutcome | "refused", number>;
  /** Why some of it did not go in. */
  issues: Issue[];
}

/** A record whose task is there, while its texts and trials are brought in. */
export interface Underway {
  record: ImportedRecord;
  taskId: string;
  told: ImportedWork;
  /** The data that its texts are, by their names. */
  stored: Map<string, Stored>;
}

interface Stored {
  id: string;
  isStored: boolean;
}

/** What is told before anything was done. */
export const nothingYet = (): ImportedWork => ({
  data: { stored: 0, exists: 0, refused: 0 },
  trials: { recorded: 0, exists: 0, conflict: 0, not_found: 0, refused: 0 },
  issues: [],
});

/** Issues under the path of what they are about. */
export const placed = (path: Issue["path"], issues: readonly Issue[]): Issue[] =>
  issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
