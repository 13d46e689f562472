import type { GateCommand } from "../../domain/lifecycle/commands.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask, noExtra } from "./move-task.ts";
import { permit } from "../call/permit.ts";
import { stepTarget } from "./targets.ts";

/** Changes the gate of a task's current step by hand. */
export async function changeGate(
  call: ConditionalCall,
  { stepId, ...input }: Omit<GateCommand, "type" | "target"> & { stepId: string },
): Promise<Outcome<Done<Moved>>> {
  const command = { type: "gate", ...input } as const;
  const permitted = permit(call.actor, command);
  if (!permitted.ok) return permitted;
  return moveTask(call, {
    names: { stepId },
    commandOf: (loaded) => stepTarget(loaded, command),
    extraOf: noExtra,
  });
}
