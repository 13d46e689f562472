import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import type { Moved } from "./move-task.ts";

interface ArchiveInput {
  task: TaskRef;
  reason?: string | undefined;
}

/** Puts a task away: out of lists, counts and bulk changes, with all that it is. */
export function archiveTask(
  call: ConditionalCall,
  { task, reason }: ArchiveInput,
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "archive", reason });
}

/** Brings an archived task back as it was. */
export function restoreTask(
  call: ConditionalCall,
  { task, reason }: ArchiveInput,
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "restore", reason });
}
