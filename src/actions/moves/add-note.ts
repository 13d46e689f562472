import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import type { Moved } from "./move-task.ts";

/** Adds a note to a task's history. Nothing else changes. */
export function addNote(
  call: ConditionalCall,
  { task, text }: { task: TaskRef; text: string },
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "note", text });
}
