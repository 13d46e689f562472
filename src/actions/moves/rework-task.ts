import type { ReworkCommand } from "../../domain/lifecycle/commands.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import type { Moved } from "./move-task.ts";

/** Returns a task to the same or an earlier stage, as a new attempt. */
export function reworkTask(
  call: ConditionalCall,
  { task, ...input }: Omit<ReworkCommand, "type"> & { task: TaskRef },
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, { type: "rework", ...input });
}
