import { stringify } from "safe-stable-stringify";

// A template has a placeholder for each value that differs between tasks. The database replaces it with the task's own
// value. The first placeholders stand for fields, the others for ids in the order of their creation.

/** The placeholders of fields. `multiply.ts` lists the values in the same order. */
export const FIELD_PLACEHOLDERS = {
  title: placeholder(1),
  externalId: placeholder(2),
  taxonomyCode: placeholder(3),
  assignee: placeholder(4),
};
const FIELDS = Object.keys(FIELD_PLACEHOLDERS).length;

/** Returns the placeholder of the id in a slot. Slots count from 1. */
export function idPlaceholder(slot: number): string {
  return placeholder(FIELDS + slot);
}

/** Returns the slot of an id's placeholder. */
export function slotOf(id: string): number {
  const number = Number(/^\{\{(\d+)\}\}$/.exec(id)?.[1]);
  if (!(number > FIELDS)) throw new Error(`${id} is not the placeholder of an id`);
  return number - FIELDS;
}

/** Returns a payload's canonical text as a format string for the function `format` of Postgres. */
export function formatOf(payload: Readonly<Record<string, unknown>>): string {
  return stringify(payload)
    .replaceAll("%", "%%")
    .replaceAll(/"\{\{(\d+)\}\}"/g, "%$1$$s");
}

function placeholder(number: number): string {
  return `{{${number}}}`;
}
