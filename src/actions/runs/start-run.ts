import { createRun, type RunRecord } from "../../db/runs/worker-runs.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import { archived, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { asStored, conclude } from "../call/conclude.ts";

/**
 * Creates a run of the task's current step, QUEUED until its worker reports. No label depends on a queued run, so this
 * writes no event.
 */
export async function startRun(
  call: ActionCall,
  input: { task: TaskRef; type: WorkerType; externalRef?: string | undefined },
): Promise<Outcome<Done<RunRecord>>> {
  const created = await createRun(call.database, { id: idsOf(call)(), ...input }, call);
  return conclude(call.operation, created, {
    result: ({ run }) => run,
    render: asStored,
    unwritten: (found) => refuse(found === undefined ? notFound() : archived()),
  });
}
