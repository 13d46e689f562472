import type { Catalog, Facts } from "./entries.ts";

/** An object of the database that is not as this release creates it. */
export interface CatalogDifference {
  /** The kind and name of the object, such as `trigger steps_sealed on public.steps`. */
  object: string;
  /** What is wrong, in words. */
  problem: string;
}

/** Compares a database with what this release creates, and names each object that is missing, extra or changed. */
export function compareCatalogs(expected: Catalog, found: Catalog): CatalogDifference[] {
  const differences: CatalogDifference[] = [];
  for (const [object, facts] of expected) {
    const other = found.get(object);
    if (other === undefined) differences.push({ object, problem: "is missing" });
    else {
      differences.push(...changesOf(facts, other).map((problem) => ({ object, problem })));
    }
  }
  for (const [object, facts] of found) {
    if (!expected.has(object) && !isOfEarlierRelease(object, facts)) {
      differences.push({ object, problem: "is extra: no migration of this release creates it" });
    }
  }
  return differences.toSorted((one, other) => (one.object < other.object ? -1 : 1));
}

function changesOf(expected: Facts, found: Facts): string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])]
    .filter((name) => expected[name] !== found[name])
    .map((name) => {
      const [wanted = "none", actual = "none"] = [expected[name], found[name]];
      const at = firstDifference(wanted, actual);
      return `has changed: ${name} is ${excerpt(actual, at)} instead of ${excerpt(wanted, at)}`;
    });
}

/**
 * Whether it is a prepared statement of an earlier release, which stays (docs/adr/0028-prepared-statements.md). These
 * have the rights of their caller, so they give no caller more than the tables do.
 */
function isOfEarlierRelease(object: string, { owner, security, language }: Facts): boolean {
  return (
    /^function prepared\.[a-z_]+_[0-9a-f]{8}\(/.test(object) &&
    owner === undefined &&
    security === undefined &&
    language === "plpgsql"
  );
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}

/** The text around a position. Definitions can be long. */
function excerpt(text: string, at: number): string {
  const start = at > EXCERPT_BEFORE ? at - EXCERPT_BEFORE : 0;
  const end = Math.min(text.length, at + EXCERPT_AFTER);
  return `"${start > 0 ? "… " : ""}${text.slice(start, end)}${end < text.length ? " …" : ""}"`;
}

const EXCERPT_BEFORE = 40;
const EXCERPT_AFTER = 80;
