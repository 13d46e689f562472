import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import type { Moved } from "./move-task.ts";

interface ArchiveInput {
  task: TaskRef;
  reason?: string | undefined;
}

/** Archives a task: it leaves lists, counts and bulk changes, and keeps its data. */
export function archiveTask(
  call: ConditionalCall,
  { task, reason }: ArchiveInput,
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "archive", reason });
}

/** Restores an archived task to the state that it had. */
export function restoreTask(
  call: ConditionalCall,
  { task, reason }: ArchiveInput,
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "restore", reason });
}
