import { type ClaimedRun, claimRuns as claimOf } from "../../db/runs/claim-runs.ts";
import type { RunRecord } from "../../db/runs/worker-runs.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import { succeed, type Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";
import { type StepView, stepView, type TaskView, taskView } from "../views/task-view.ts";

/** A run in a worker's hands, with what it needs to begin. */
export interface WorkView {
  run: RunRecord;
  task: TaskView;
  version: ClaimedRun["version"];
  step: StepView;
}

/** Hands runs that wait to a worker that polls: they are its own until their lease ends or it has reported. */
export async function claimRuns(
  call: ActionCall,
  wanted: { types: readonly WorkerType[]; max: number; leaseSeconds: number },
): Promise<Outcome<Done<WorkView[]>>> {
  const claimed = await claimOf(call.database, wanted, call);
  const settled = await settle(call.operation, claimed, render);
  if ("answer" in settled) return settled.answer;
  return succeed({ value: render(settled.rows[0]?.claimed ?? []), replayed: false });
}

function render(claimed: readonly ClaimedRun[]): WorkView[] {
  return claimed.map(({ run, task, version, step }) => ({
    run,
    task: taskView(task),
    version,
    step: stepView(task.id, task.step.id, step),
  }));
}
