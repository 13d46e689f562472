import type { LoadedRun } from "../../db/snapshots/load-tasks.ts";
import type { ReportCommand } from "../../domain/lifecycle/commands.ts";
import type { KeptAside } from "../../domain/lifecycle/decision.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask } from "../moves/move-task.ts";

/** The run after a report, and its task after the report's effects. */
export interface Reported extends Moved {
  run: Pick<LoadedRun, "id" | "taskId" | "stepId" | "type" | "state">;
  /** What of the report was only recorded, and why. Null if all of it took effect, or it said nothing new. */
  keptAside: KeptAside | null;
}

/** Records a worker's report on its run, and its effect on the task's current step. */
export function reportRun(
  call: ConditionalCall & { credentialName: string },
  { runId, ...report }: Omit<ReportCommand, "type" | "run" | "reporter"> & { runId: string },
): Promise<Outcome<Done<Reported>>> {
  return moveTask(call, {
    names: { runIds: [runId] },
    commandOf: ({ runs: [run] }) =>
      run === undefined
        ? refuse(notFound())
        : succeed({ type: "report", run, reporter: call.credentialName, ...report }),
    extraOf: ({ runs: [change], keptAside }, { runs: [run] }) => {
      if (run === undefined) throw new Error("A report was decided without its run");
      const { id, taskId, stepId, type } = run;
      // A run that has ended stays as it is.
      const state = change?.state ?? run.state;
      return { run: { id, taskId, stepId, type, state }, keptAside };
    },
  });
}
