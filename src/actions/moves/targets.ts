import type { LoadedTasks } from "../../db/snapshots/load-tasks.ts";
import type { Command, StepTarget } from "../../domain/lifecycle/commands.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";

/** Aims a command at the step that the call named, as it was found. */
export function stepTarget<Aimed extends Command & { target?: StepTarget }>(
  { step }: LoadedTasks,
  command: Aimed,
): Outcome<Aimed> {
  if (step === null) return refuse(notFound());
  return succeed({ ...command, target: { stepId: step.id, versionId: step.versionId } });
}

/** The id of the task that is said to be the original; one that is not there is refused. */
export function duplicateOfFound(
  loaded: Pick<LoadedTasks, "duplicateOf">,
  asked: TaskRef | undefined,
): Outcome<string | undefined> {
  if (asked === undefined) return succeed(undefined);
  return loaded.duplicateOf === null ? refuse(notFound()) : succeed(loaded.duplicateOf);
}
