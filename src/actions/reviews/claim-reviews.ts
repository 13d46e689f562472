import {
  type ClaimedReview,
  claimReviews as claimWaitingReviews,
  type WantedReviews,
} from "../../db/reviews/claim-reviews.ts";
import type { ClaimRecord } from "../../db/reviews/slots.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { type StepView, stepView, type TaskView, taskView } from "../views/task-view.ts";

/** A claimed task, with everything that its reviewer needs to begin. */
export interface ReviewWorkView {
  claim: ClaimRecord;
  task: TaskView;
  version: ClaimedReview["version"];
  step: StepView;
}

/** Hands the next tasks that wait for a reviewer to the caller, who holds them until the lease ends or the review. */
export async function claimReviews(
  call: ActionCall & { identity: string; personId: string | null },
  wanted: WantedReviews,
): Promise<Outcome<Done<ReviewWorkView[]>>> {
  const claimant = { ...call, person: call.identity };
  const claimed = await claimWaitingReviews(call.database, wanted, claimant);
  return conclude(call.operation, claimed, { result: (row) => row.claimed, render });
}

function render(claimed: readonly ClaimedReview[]): ReviewWorkView[] {
  return claimed.map(({ claim, task, version, step }) => ({
    claim,
    task: taskView(task),
    version,
    step: stepView(task.id, task.step.id, step),
  }));
}
