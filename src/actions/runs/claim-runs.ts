import { type ClaimedRunRecord, claimRuns as claimWaitingRuns } from "../../db/runs/claim-runs.ts";
import type { RunRecord } from "../../db/runs/worker-runs.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { type StepView, stepView, type TaskView, taskView } from "../views/task-view.ts";

/** A claimed run, with everything its worker needs to begin. */
export interface WorkView {
  run: RunRecord;
  task: TaskView;
  version: ClaimedRunRecord["version"];
  step: StepView;
}

/** Leases queued runs to a polling worker, which holds them until the lease expires or it reports. */
export async function claimRuns(
  call: ActionCall & { credentialName: string },
  wanted: { types: readonly WorkerType[]; max: number; leaseSeconds: number },
): Promise<Outcome<Done<WorkView[]>>> {
  const claimed = await claimWaitingRuns(call.database, wanted, call);
  return conclude(call.operation, claimed, { result: (row) => row.claimed, render });
}

function render(claimed: readonly ClaimedRunRecord[]): WorkView[] {
  return claimed.map(({ run, task, version, step }) => ({
    run,
    task: taskView(task),
    version,
    step: stepView(task.id, task.step.id, step),
  }));
}
