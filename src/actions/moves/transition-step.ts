import type { TransitionCommand } from "../../domain/lifecycle/commands.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask, noExtra } from "./move-task.ts";
import { permit } from "../call/permit.ts";
import { duplicateOfFound, stepTarget } from "./targets.ts";

/** Changes the status of a step. It must be the current step of its task. */
export async function transitionStep(
  call: ConditionalCall,
  input: Omit<TransitionCommand, "type" | "target" | "duplicateOf"> & {
    stepId: string;
    duplicateOf?: TaskRef | undefined;
  },
): Promise<Outcome<Done<Moved>>> {
  const { stepId, duplicateOf, ...rest } = input;
  const command = { type: "transition", ...rest } as const;
  const permitted = permit(call.actor, command);
  if (!permitted.ok) return permitted;
  return moveTask(call, {
    names: { stepId, duplicateOf },
    commandOf: (loaded) => {
      const original = duplicateOfFound(loaded, duplicateOf);
      if (!original.ok) return original;
      return stepTarget(loaded, { ...command, duplicateOf: original.value });
    },
    extraOf: noExtra,
  });
}
