import type { ReviewCommand } from "../../domain/lifecycle/commands.ts";
import type { NewReview } from "../../domain/lifecycle/decision.ts";
import { succeed, type Outcome } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { type Moved, moveTask } from "./move-task.ts";
import { permit } from "../call/permit.ts";
import { duplicateOfFound } from "./targets.ts";

type Move = NonNullable<ReviewCommand["move"]>;

interface ReviewInput extends Omit<ReviewCommand, "type" | "move"> {
  task: TaskRef;
  move?: (Omit<Move, "duplicateOf"> & { duplicateOf?: TaskRef | undefined }) | undefined;
}

/** The recorded review, and the task after the review's move. */
export interface Reviewed extends Moved {
  review: Pick<NewReview, "id" | "stepId" | "kind" | "outcome" | "sequence" | "notes">;
}

/** Records a review of a task's current step together with the transition that it requests, or neither. */
export async function recordReview(
  call: ConditionalCall,
  { task, move, ...input }: ReviewInput,
): Promise<Outcome<Done<Reviewed>>> {
  const command: ReviewCommand = {
    type: "review",
    ...input,
    move: move && { ...move, duplicateOf: undefined },
  };
  const permitted = permit(call.actor, command);
  if (!permitted.ok) return permitted;
  return moveTask(call, {
    names: { tasks: [task], duplicateOf: move?.duplicateOf },
    commandOf: (loaded) => {
      const original = duplicateOfFound(loaded, move?.duplicateOf);
      if (!original.ok) return original;
      return succeed({ ...command, move: move && { ...move, duplicateOf: original.value } });
    },
    extraOf: ({ reviews }) => {
      const [review] = reviews;
      if (review === undefined) throw new Error("A review command decided on no review");
      const { id, stepId, kind, outcome, sequence, notes } = review;
      return { review: { id, stepId, kind, outcome, sequence, notes } };
    },
  });
}
