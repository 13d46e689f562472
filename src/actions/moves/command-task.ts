import { APPENDING_COMMANDS, type Command } from "../../domain/lifecycle/commands.ts";
import { succeed, type Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask, noExtra } from "./move-task.ts";
import { permit } from "../call/permit.ts";

/** Applies a command to a task, if the actor's role may ever give it. */
export async function commandTask(
  call: ConditionalCall,
  task: TaskRef,
  command: Command,
): Promise<Outcome<Done<Moved>>> {
  const permitted = permit(call.actor, command);
  if (!permitted.ok) return permitted;
  return moveTask(call, {
    names: { tasks: [task] },
    commandOf: () => succeed(command),
    extraOf: noExtra,
    isAppending: APPENDING_COMMANDS.includes(command.type),
  });
}
