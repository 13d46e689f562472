import { DatabaseFault } from "../../db/connection/faults.ts";
import { findTaskIds } from "../../db/tasks/external-ids.ts";
import type { EditCommand } from "../../domain/lifecycle/commands.ts";
import { externalIdTaken, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import type { Moved } from "./move-task.ts";

/** Edits a task's fields. Refuses an external id that another task has. */
export async function editTask(
  call: ConditionalCall,
  { task, changes, reason }: Omit<EditCommand, "type"> & { task: TaskRef },
): Promise<Outcome<Done<Moved>>> {
  try {
    return await commandTask(call, task, { type: "edit", changes, reason });
  } catch (error) {
    const { externalId } = changes;
    if (!isTakenExternalId(error) || externalId === undefined || externalId === null) throw error;
    const holders = await findTaskIds(call.database, [externalId]);
    const id = holders.get(externalId);
    if (id === undefined) throw error;
    return refuse(externalIdTaken(id));
  }
}

const CONSTRAINTS: ReadonlySet<string | null> = new Set([
  "tasks_external_id",
  "tasks_external_id_key",
]);

function isTakenExternalId(error: unknown): boolean {
  return error instanceof DatabaseFault && CONSTRAINTS.has(error.constraint);
}
