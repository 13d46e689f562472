import type { VersionCommand } from "../../domain/lifecycle/commands.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { commandTask } from "./command-task.ts";
import { contentHash } from "../tasks/content-hash.ts";
import type { Moved } from "./move-task.ts";

/** Seals the active version of a task and opens the next one. */
export function createVersion(
  call: ConditionalCall,
  { task, ...input }: Omit<VersionCommand, "type" | "contentHash"> & { task: TaskRef },
): Promise<Outcome<Done<Moved>>> {
  return commandTask(call, task, {
    type: "version",
    ...input,
    contentHash: contentHash(input.content),
  });
}
