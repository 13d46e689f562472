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

/** Returns a task as it was at a given time or event, by folding its history. Not found before its first event. */
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

/** The refusal of an `asOf` that names an event after the newest one. */
export function beyondNewest(newestSeq: number): Refusal {
  const message = `The task's newest event has seq ${newestSeq}.`;
  return validationFailed({ path: ["asOf"], code: "beyond_newest", message });
}
