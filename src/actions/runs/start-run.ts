import { createRun, type RunRecord } from "../../db/runs/worker-runs.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import { succeed, archived, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { uuidv7 } from "uuidv7";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/**
 * Opens a run of the task's current step, QUEUED until its worker reports. No label depends on a queued run, so it
 * writes no event.
 */
export async function startRun(
  call: ActionCall,
  input: { task: TaskRef; type: WorkerType; externalRef?: string | undefined },
): Promise<Outcome<Done<RunRecord>>> {
  const created = await createRun(call.database, { id: uuidv7(), ...input }, call);
  const settled = await settle(call.operation, created, (run: RunRecord) => run);
  if ("answer" in settled) return settled.answer;
  const [row] = settled.rows;
  if (row === undefined) return refuse(notFound());
  return row.run === null ? refuse(archived()) : succeed({ value: row.run, replayed: false });
}
