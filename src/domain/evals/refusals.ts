import type { EvalSnapshot, TrialSlot, TrialSnapshot } from "./snapshot.ts";
import type { Refusal } from "../refusals.ts";

/** A cancelled eval accepts no more results. Its trials can still be retracted. */
export function evalCancelled({ id }: EvalSnapshot): Refusal {
  return {
    code: "conflict",
    detail: "The eval is cancelled and accepts no more trials.",
    existing: { id },
  };
}

/** A live trial holds the slot. */
export function slotTaken(holder: TrialSnapshot, modelRevision: string | null): Refusal {
  const detail = whyTaken(holder, modelRevision);
  return { code: "conflict", detail, existing: { id: holder.id } };
}

/** Returns a sentence about the live trial that holds a slot. It names the revision if that differs. */
export function whyTaken(
  holder: TrialSlot & Pick<TrialSnapshot, "modelRevision">,
  modelRevision: string | null,
): string {
  const { k, model } = holder;
  if (holder.modelRevision === modelRevision) return `Trial ${k} of ${model} is already recorded.`;
  const revision =
    holder.modelRevision === null
      ? "without a revision"
      : `for another revision (${holder.modelRevision})`;
  return `Trial ${k} of ${model} is already recorded ${revision}.`;
}
