import type { EvalSnapshot, TrialSlot, TrialSnapshot } from "./snapshot.ts";
import type { Refusal } from "../refusals.ts";

/** A cancelled eval takes no more results; only what it has may be retracted. */
export function evalCancelled({ id }: EvalSnapshot): Refusal {
  return {
    code: "conflict",
    detail: "The eval is cancelled and takes no more trials.",
    existing: { id },
  };
}

/** A live trial holds the slot. */
export function slotTaken(holder: TrialSnapshot, modelRevision: string | null): Refusal {
  const words = whyTaken(holder, modelRevision);
  return { code: "conflict", detail: words, existing: { id: holder.id } };
}

/** Why a live trial stands in the way, in words; another revision of the same model is said so. */
export function whyTaken(
  holder: TrialSlot & Pick<TrialSnapshot, "modelRevision">,
  modelRevision: string | null,
): string {
  const { k, model } = holder;
  if (holder.modelRevision === modelRevision) return `Trial ${k} of ${model} is recorded already.`;
  const revision =
    holder.modelRevision === null
      ? "without a revision"
      : `of another revision (${holder.modelRevision})`;
  return `Trial ${k} of ${model} is recorded already, ${revision}.`;
}
