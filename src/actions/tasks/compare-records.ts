import { stringify } from "safe-stable-stringify";
import { DIFFERENCE_LENGTH_MAX, type TaskDifference } from "../../db/moves/existing-tasks.ts";
import type { NewTask } from "./create-task.ts";

/** Returns how one record of an import differs from an earlier one with the same external id. */
export function differencesBetween(earlier: NewTask, later: NewTask): TaskDifference[] {
  const before = comparedFields(earlier);
  return comparedFields(later).flatMap(({ path, value }, index) => {
    const existing = before[index]?.value ?? null;
    return value === existing ? [] : [{ path, existing: cut(existing), given: cut(value) }];
  });
}

/** The fields that existing-tasks.ts compares, in the same order. */
function comparedFields({ fields, content }: NewTask) {
  return [
    { path: ["title"], value: fields.title },
    { path: ["taxonomyCode"], value: fields.taxonomyCode },
    { path: ["content", "brief"], value: content.brief ?? null },
    { path: ["content", "instructions"], value: content.instructions ?? null },
    { path: ["content", "metadata"], value: stringify(content.metadata ?? {}) },
  ];
}

/** Counts code points, as Postgres does. */
const cut = (value: string | null) =>
  value === null ? null : Array.from(value).slice(0, DIFFERENCE_LENGTH_MAX).join("");
