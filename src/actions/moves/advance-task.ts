import type { AdvanceCommand } from "../../domain/lifecycle/commands.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import type { Moved } from "./move-task.ts";

/** Advances a task to its next stage. */
export function advanceTask(
  call: ConditionalCall,
  { task, ...input }: Omit<AdvanceCommand, "type"> & { task: TaskRef },
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "advance", ...input });
}
