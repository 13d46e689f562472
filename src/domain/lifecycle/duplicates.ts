import type { Refusal } from "../refusals.ts";
import type { StepStatus } from "./statuses.ts";

/** The task that a duplicate names, in its present state. */
export interface Original {
  id: string;
  /** The status of its current step. */
  status: StepStatus;
  isArchived: boolean;
}

/** Statuses of tasks that a new duplicate cannot name: both say that the task itself is not worked on. */
export const ENDED_ORIGINALS = ["duplicate", "rejected"] as const satisfies readonly StepStatus[];

/** How many of the duplicates that name a task a refusal lists. One more is loaded, to know whether there are more. */
export const NAMED_BY_MAX = 100;

/** Why a new duplicate cannot name a task. */
export type OriginalFault = (typeof ENDED_ORIGINALS)[number] | "archived";

/** Returns why a new duplicate cannot name this task; null if it can. */
export function originalFault({ status, isArchived }: Original): OriginalFault | null {
  if (isArchived) return "archived";
  return ENDED_ORIGINALS.find((ended) => ended === status) ?? null;
}

/** A change of a step's status, as events record it. */
interface StatusChange {
  fromStatus: StepStatus | null;
  toStatus: StepStatus;
  duplicateOf: string | null;
}

/** Returns whether an event makes its task a duplicate. Only such an event can name the original. */
export function marksDuplicate({
  fromStatus,
  toStatus,
}: Pick<StatusChange, "fromStatus" | "toStatus">): boolean {
  return toStatus === "duplicate" && fromStatus !== "duplicate";
}

/** Returns the original that a task names after an event of its current step. `before` is what it named until then. */
export function duplicateOfAfter(event: StatusChange, before: string | null): string | null {
  if (event.fromStatus === event.toStatus) return before;
  return marksDuplicate(event) ? event.duplicateOf : null;
}

const ORIGINAL_FAULTS: Record<OriginalFault, string> = {
  duplicate: "is itself a duplicate",
  rejected: "is rejected",
  archived: "is archived",
};

/** The task that a duplicate would name is not worked on. */
export function originalEnded(originalId: string, fault: OriginalFault): Refusal {
  return {
    code: "conflict",
    detail: `The task that duplicateOf names ${ORIGINAL_FAULTS[fault]}. A duplicate must name a task that is not.`,
    existing: { id: originalId },
  };
}

/** Duplicates name the task, so it cannot become a duplicate itself. */
export function namedByDuplicates(ids: readonly string[]): Refusal {
  return {
    code: "conflict",
    detail:
      "Other tasks are duplicates of this one, so it cannot become a duplicate. Change those tasks first.",
    namedBy: ids.slice(0, NAMED_BY_MAX),
    isNamedByMore: ids.length > NAMED_BY_MAX,
  };
}
