import type { FieldDifference, Refusal, TakenSlot } from "../refusals.ts";
import { SLOT_MEMBERS, type SlotBy, type TrialSlot } from "./slot.ts";

/** A cancelled eval accepts no more results. Its trials can still be retracted. */
export function evalCancelled({ id }: { id: string }): Refusal {
  return {
    code: "conflict",
    detail: "The eval is cancelled and accepts no more trials.",
    existing: { id },
  };
}

/** Another live eval of the version has the name. */
export function evalNameTaken({ id, name }: { id: string; name: string }): Refusal {
  return {
    code: "conflict",
    detail: `The version already has an eval named ${name} that is not cancelled.`,
    existing: { id },
  };
}

/** The number of trials per slot never falls, because trials beyond it may exist. */
export function kOnlyRises({ id, k }: { id: string; k: number }): Refusal {
  return {
    code: "conflict",
    detail: `The eval has k = ${k}, which can only be raised.`,
    existing: { id },
  };
}

/** Returns a sentence about a live trial that holds a slot. It names the fields in which a report differs from it. */
export function whyTaken(
  { k, model }: TrialSlot,
  differs: readonly FieldDifference[],
  slotBy: SlotBy,
): string {
  if (differs.length === 0) return `Trial ${k} of ${model} is already recorded, with equal values.`;
  const fields = differs.map(({ field }) => field);
  const taken = `Trial ${k} of ${model} is already recorded with another ${fields.join(", ")}.`;
  const members = SLOT_MEMBERS.filter(
    (member) => slotBy.includes(member) || fields.includes(member),
  );
  if (members.length === slotBy.length) return taken;
  return `${taken} Only an eval with slotBy ${members.join(", ")} has a slot for each.`;
}

/** Returns a sentence about an eval that distinguishes trials by other members than a call names. */
export function whyOtherSlots(slotBy: SlotBy): string {
  return `The eval with this name has slotBy ${slotBy.join(", ")}.`;
}

/** Live trials hold the slots of a call. `taken` lists them for a call with a list of trials. */
export function slotsTaken(
  first: { holder: TrialSlot & { id: string }; differs: readonly FieldDifference[] },
  slotBy: SlotBy,
  taken: readonly TakenSlot[] | null,
): Refusal {
  const { holder, differs } = first;
  return {
    code: "conflict",
    detail: whyTaken(holder, differs, slotBy),
    existing: { id: holder.id },
    differs,
    ...(taken !== null && { taken }),
  };
}
