import { stringify } from "safe-stable-stringify";

// What differs from task to task stands in a template as a mark, which the database replaces by the task's own value.
// The first marks are the fields, those after them the ids in the order in which they were made.

/** The marks of the fields that differ. Their order is that of the values in `multiply.ts`. */
export const FIELD_MARKS = {
  title: mark(1),
  externalId: mark(2),
  taxonomyCode: mark(3),
  assignee: mark(4),
};
const FIELDS = Object.keys(FIELD_MARKS).length;

/** The mark of the id in this slot; slots count from 1. */
export function idMark(slot: number): string {
  return mark(FIELDS + slot);
}

/** The slot of an id's mark. */
export function slotOf(id: string): number {
  const number = Number(/^\{\{(\d+)\}\}$/.exec(id)?.[1]);
  if (!(number > FIELDS)) throw new Error(`${id} is no mark of an id`);
  return number - FIELDS;
}

/** A payload's canonical text as the format from which Postgres makes each task's own. */
export function formatOf(payload: Readonly<Record<string, unknown>>): string {
  return stringify(payload)
    .replaceAll("%", "%%")
    .replaceAll(/"\{\{(\d+)\}\}"/g, "%$1$$s");
}

function mark(number: number): string {
  return `{{${number}}}`;
}
