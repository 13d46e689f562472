import type { LoadedTasks } from "../../db/snapshots/load-tasks.ts";
import type { Command, StepTarget } from "../../domain/lifecycle/commands.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { Original } from "../../domain/lifecycle/duplicates.ts";
import type { TaskRef } from "../../domain/task-ref.ts";

/** Targets a command at the step that was loaded by the id in the call. Refuses if there is none. */
export function stepTarget<Targeted extends Command & { target?: StepTarget }>(
  { step }: LoadedTasks,
  command: Targeted,
): Outcome<Targeted> {
  if (step === null) return refuse(notFound());
  return succeed({ ...command, target: { stepId: step.id, versionId: step.versionId } });
}

/** The original that a duplicate names, if it names one. Refuses if there is no such task. */
export function duplicateOfFound(
  loaded: Pick<LoadedTasks, "duplicateOf">,
  named: TaskRef | undefined,
): Outcome<Original | undefined> {
  if (named === undefined) return succeed(undefined);
  return loaded.duplicateOf === null ? refuse(notFound()) : succeed(loaded.duplicateOf);
}
