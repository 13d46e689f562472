import type { LoadedReview } from "../../db/reviews/load-review.ts";
import type { UndoneDispatches } from "../../db/moves/record-moves.ts";
import type { Actor } from "../../domain/actor.ts";
import { notFound, type Outcome, refuse, succeed } from "../../domain/refusals.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask } from "../moves/move-task.ts";
import type { Reviewed } from "./record-review.ts";

/** The withdrawn review, the task without it, and what became of the pipelines that its move had requested. */
export interface Withdrawn extends Moved, UndoneDispatches {
  review: Pick<Reviewed["review"], "id" | "stepId" | "kind" | "outcome" | "sequence">;
}

/** Withdraws a review of the caller, and undoes the move that came with it, as long as nothing has happened since. */
export function withdrawReview(
  call: ConditionalCall & { personId: string | null },
  { reviewId, reason }: { reviewId: string; reason: string },
): Promise<Outcome<Done<Withdrawn>>> {
  return moveTask(call, {
    names: { reviewId },
    commandOf: ({ review }) => {
      if (review === null) return refuse(notFound());
      const { reviewer, ...recorded } = review;
      const isOwn = isSameCaller(reviewer, call);
      return succeed({ type: "withdraw", review: { ...recorded, isOwn }, reason });
    },
    extraOf: (_, { review }) => {
      if (review === null) throw new Error("A withdrawal was decided without its review");
      const { id, stepId, kind, outcome, sequence } = review;
      return { review: { id, stepId, kind, outcome, sequence }, recalled: 0, alreadyDelivered: 0 };
    },
    writtenOf: ({ undone }) => undone ?? {},
  });
}

/** A person is the same with every credential. A machine is one of its credentials. */
function isSameCaller(
  reviewer: LoadedReview["reviewer"],
  { actor, personId }: { actor: Actor; personId: string | null },
): boolean {
  return reviewer.personId === null
    ? personId === null && reviewer.kind === actor.kind && reviewer.id === actor.id
    : reviewer.personId === personId;
}
