import type { LoadedTasks } from "../../db/snapshots/load-tasks.ts";
import type { ReviewCommand } from "../../domain/lifecycle/commands.ts";
import type { NewReview } from "../../domain/lifecycle/decision.ts";
import { notFound, refuse, succeed, type Outcome } from "../../domain/refusals.ts";
import { SLOTS_PER_STEP } from "../../domain/reviews/slots.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask } from "../moves/move-task.ts";
import { permit } from "../call/permit.ts";
import { duplicateOfFound } from "../moves/targets.ts";

type Move = NonNullable<ReviewCommand["move"]>;

interface ReviewInput extends Omit<ReviewCommand, "type" | "move"> {
  task: TaskRef;
  move?: (Omit<Move, "duplicateOf"> & { duplicateOf?: TaskRef | undefined }) | undefined;
}

/** The recorded review, and the task after the review's move. */
export interface Reviewed extends Moved {
  review: Pick<NewReview, "id" | "stepId" | "kind" | "outcome" | "sequence" | "notes">;
}

/**
 * Records a review of a task's current step together with the transition that it requests, or neither. If it loses a
 * race, it is decided again only on the step that it was first decided on.
 */
export async function recordReview(
  call: ConditionalCall & { identity: string },
  { task, move, stepId, ...input }: ReviewInput,
): Promise<Outcome<Done<Reviewed>>> {
  const command: ReviewCommand = {
    type: "review",
    ...input,
    move: move && { ...move, duplicateOf: undefined },
  };
  const permitted = permit(call.actor, command);
  if (!permitted.ok) return permitted;
  let reviewedStepId = stepId;
  return moveTask(call, {
    names: { tasks: [task], stepId, duplicateOf: move?.duplicateOf, withHeldSlots: true },
    claimant: input.kind === "expert" ? call.identity : undefined,
    commandOf: (loaded) => {
      if (stepId !== undefined && loaded.step === null) return refuse(notFound());
      const original = duplicateOfFound(loaded, move?.duplicateOf);
      if (!original.ok) return original;
      reviewedStepId ??= currentStepId(loaded);
      return succeed({
        ...command,
        stepId: reviewedStepId,
        takenUntil: takenUntil(loaded, call.identity),
        move: move && { ...move, duplicateOf: original.value },
      });
    },
    extraOf: ({ reviews }) => {
      const [review] = reviews;
      if (review === undefined) throw new Error("A review command decided on no review");
      const { id, stepId: reviewedId, kind, outcome, sequence, notes } = review;
      return { review: { id, stepId: reviewedId, kind, outcome, sequence, notes } };
    },
  });
}

function currentStepId({ tasks: [task] }: LoadedTasks): string | undefined {
  return task?.step.id;
}

/** Until when others hold all slots of the current step; undefined if the caller holds one, or one is free. */
function takenUntil({ heldSlots }: LoadedTasks, identity: string): string | undefined {
  const isFree = heldSlots.length < SLOTS_PER_STEP;
  if (isFree || heldSlots.some(({ person }) => person === identity)) return undefined;
  return heldSlots.map(({ leaseUntil }) => leaseUntil).toSorted()[0];
}
