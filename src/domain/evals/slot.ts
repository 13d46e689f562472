import type { Maker, MakerDetails } from "../maker.ts";

/** The members that can distinguish the trials of one `k`, in the order in which slots list it. */
export const SLOT_MEMBERS = [
  "model",
  "modelRevision",
  "agent",
  "agentRevision",
  "provider",
] as const satisfies readonly (keyof Maker)[];
export type SlotMember = (typeof SLOT_MEMBERS)[number];

/** The members of a maker that make a slot of an eval. Always has `model`. */
export type SlotBy = readonly SlotMember[];

export const MODEL_ALONE: SlotBy = ["model"];

/** The position of a trial in an eval. Which members of its maker count depends on the eval. */
export interface TrialSlot extends MakerDetails {
  k: number;
  model: string;
}

/** Returns the members in their one order, without repetitions. */
export function orderedSlotBy(members: readonly SlotMember[]): SlotBy {
  return SLOT_MEMBERS.filter((member) => members.includes(member));
}

/** Returns whether two evals distinguish trials by the same members. Both must be ordered. */
export function isSameSlotBy(one: SlotBy, other: SlotBy): boolean {
  return one.length === other.length && one.every((member, index) => member === other[index]);
}

/** Returns a key that is unique per slot, whatever characters a name contains. At most one live trial holds a slot. */
export function slotKey(slot: TrialSlot, slotBy: SlotBy): string {
  return JSON.stringify([slot.k, ...slotBy.map((member) => slot[member])]);
}
