import type { FieldDifference } from "../refusals.ts";
import type { HeldTrial, Usage } from "./snapshot.ts";

/** The fields of a trial that callers report, apart from `k` and `model`, which every slot has. */
const REPORTED_FIELDS = [
  "modelRevision",
  "agent",
  "agentRevision",
  "provider",
  "status",
  "score",
  "error",
  "outputDataId",
] as const satisfies readonly (keyof HeldTrial)[];

type ReportedFields = Pick<HeldTrial, (typeof REPORTED_FIELDS)[number]>;

/** Longer texts are cut in an answer, which can have 1,000 of them. */
const TEXT_MAX = 500;

/**
 * Returns every field in which a report differs from the trial on its slot. Empty if they are equal. `usage` is compared
 * only if the report can have one.
 */
export function differencesOf(
  held: ReportedFields & { usage: Usage | null },
  reported: ReportedFields & { usage?: Usage | null },
): FieldDifference[] {
  const differences = REPORTED_FIELDS.filter((field) => held[field] !== reported[field]).map(
    (field) => differenceIn(field, held[field], reported[field]),
  );
  const { usage } = reported;
  if (usage !== undefined && !isSameJson(held.usage, usage)) {
    differences.push(differenceIn("usage", held.usage, usage));
  }
  return differences;
}

function differenceIn(field: string, existing: unknown, reported: unknown): FieldDifference {
  return { field, existing: shortened(existing), reported: shortened(reported) };
}

function shortened(value: unknown): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // Cut between characters: half of a surrogate pair is no text.
  return text.length <= TEXT_MAX
    ? value
    : `${text.slice(0, TEXT_MAX).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** Returns whether two JSON values are equal, in any order of their members. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return one === other;
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [members, others] = [Object.entries(one), new Map(Object.entries(other))];
  return (
    members.length === others.size &&
    members.every(([key, value]) => others.has(key) && isSameJson(value, others.get(key)))
  );
}
