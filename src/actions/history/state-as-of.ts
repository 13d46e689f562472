import type { TenantDatabase } from "../../db/connection/client.ts";
import { readHistory, type Until } from "../../db/history/events.ts";
import { fold, type TaskState } from "../../domain/lifecycle/fold.ts";
import {
  succeed,
  notFound,
  type Outcome,
  type Refusal,
  refuse,
  validationFailed,
} from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";

/** A task as it was at a moment: its history folded up to there. Before its first event there is no such task. */
export async function stateAsOf(
  database: TenantDatabase,
  ref: TaskRef,
  until: Until,
): Promise<Outcome<TaskState>> {
  const history = await readHistory(database, ref, until);
  if (history === null) return refuse(notFound());
  const { newestSeq, events } = history;
  if ("seq" in until && until.seq > newestSeq) {
    return refuse(beyondNewest(newestSeq));
  }
  return events.length === 0 ? refuse(notFound()) : succeed(fold(events));
}

/** The moment is named by an event that has not happened yet. */
export function beyondNewest(newestSeq: number): Refusal {
  const message = `The task's newest event is number ${newestSeq}.`;
  return validationFailed({ path: ["asOf"], code: "beyond_newest", message });
}
