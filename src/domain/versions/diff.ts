import type { TaskContent } from "../lifecycle/decision.ts";
import type { Maker } from "../maker.ts";
import type { GateState, StepKind, StepStatus } from "../lifecycle/statuses.ts";
import { diffText, type Hunk } from "./diff-lines.ts";

export interface VersionStep {
  id: string;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
}

export interface VersionPrompt extends Maker {
  id: string;
  stepId: string;
  role: string;
  contentHash: string;
}

export interface VersionDatum extends Maker {
  id: string;
  stepId: string;
  kind: string;
  sha256: string;
}

/** A version with its steps, prompts and data. */
export interface WholeVersion {
  content: TaskContent;
  steps: readonly VersionStep[];
  prompts: readonly VersionPrompt[];
  data: readonly VersionDatum[];
}

/** One value that differs. `path` leads to it in the content, from the outermost key inward. */
export type ContentChange = { path: (string | number)[] } & (
  | { op: "added"; to: unknown }
  | { op: "removed"; from: unknown }
  | { op: "changed"; from: unknown; to: unknown }
  | { op: "edited"; hunks: Hunk[] }
);

/** The items that only one of two versions has, and how many both have. */
export interface ListDiff<Item> {
  added: Item[];
  removed: Item[];
  same: number;
}

export interface VersionDiff {
  content: ContentChange[];
  steps: ListDiff<VersionStep> & { changed: { from: VersionStep; to: VersionStep }[] };
  prompts: ListDiff<VersionPrompt>;
  data: ListDiff<VersionDatum>;
}

/** Returns all differences between two versions. Applied to the first version, they give the second. */
export function diffVersions(from: WholeVersion, to: WholeVersion): VersionDiff {
  return {
    content: diffContent(from.content, to.content),
    steps: diffSteps(from.steps, to.steps),
    prompts: diffLists(from.prompts, to.prompts, ({ role, contentHash, ...prompt }) => {
      return [role, contentHash, ...makerOf(prompt)];
    }),
    data: diffLists(from.data, to.data, ({ kind, sha256, ...datum }) => {
      return [kind, sha256, ...makerOf(datum)];
    }),
  };
}

/** The fields that are compared line by line. */
const TEXTS: readonly string[] = ["brief", "instructions"] satisfies (keyof TaskContent)[];

function diffContent(from: TaskContent, to: TaskContent): ContentChange[] {
  return diffValues(from, to, []);
}

/**
 * Compares objects by key, in sorted order, and lists by index. Removals from a list are ordered from its end, so that
 * all changes can be applied in order.
 */
function diffValues(from: unknown, to: unknown, path: (string | number)[]): ContentChange[] {
  if (Array.isArray(from) && Array.isArray(to)) return diffArrays(from, to, path);
  if (isObject(from) && isObject(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
    return keys.flatMap((key) => diffMember(from, to, [...path, key]));
  }
  if (from === to) return [];
  const [name] = path;
  const isText = path.length === 1 && TEXTS.some((text) => text === name);
  if (isText && typeof from === "string" && typeof to === "string") {
    const hunks = diffText(from, to);
    if (hunks !== null) return [{ op: "edited", path, hunks }];
  }
  return [{ op: "changed", path, from, to }];
}

function diffMember(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
  path: (string | number)[],
): ContentChange[] {
  const key = String(path.at(-1));
  if (!Object.hasOwn(from, key)) return [{ op: "added", path, to: to[key] }];
  if (!Object.hasOwn(to, key)) return [{ op: "removed", path, from: from[key] }];
  return diffValues(from[key], to[key], path);
}

function diffArrays(
  from: readonly unknown[],
  to: readonly unknown[],
  path: (string | number)[],
): ContentChange[] {
  const shared = Math.min(from.length, to.length);
  const changes = from
    .slice(0, shared)
    .flatMap((item, index) => diffValues(item, to[index], [...path, index]));
  const added = to.slice(shared).map((item, index): ContentChange => {
    return { op: "added", path: [...path, shared + index], to: item };
  });
  const removed = from.slice(shared).map((item, index): ContentChange => {
    return { op: "removed", path: [...path, shared + index], from: item };
  });
  return [...changes, ...added, ...removed.toReversed()];
}

/** Compares steps that are the same attempt at the same stage, because no step belongs to two versions. */
function diffSteps(from: readonly VersionStep[], to: readonly VersionStep[]): VersionDiff["steps"] {
  const isSameAttempt = (one: VersionStep) => (other: VersionStep) =>
    one.kind === other.kind && one.attempt === other.attempt;
  const pairs = from.flatMap((before) => {
    const after = to.find(isSameAttempt(before));
    return after === undefined ? [] : [{ from: before, to: after }];
  });
  const changed = pairs.filter(
    (pair) => pair.from.status !== pair.to.status || pair.from.gate !== pair.to.gate,
  );
  return {
    added: to.filter((after) => !from.some(isSameAttempt(after))),
    removed: from.filter((before) => !to.some(isSameAttempt(before))),
    changed,
    same: pairs.length - changed.length,
  };
}

/** Pairs items of equal identity one to one. Returns the unpaired items of both lists. */
function diffLists<Item>(
  from: readonly Item[],
  to: readonly Item[],
  identityOf: (item: Item) => readonly (string | null)[],
): ListDiff<Item> {
  const candidates = Map.groupBy(from, (item) => JSON.stringify(identityOf(item)));
  const added = to.filter((item) => {
    return candidates.get(JSON.stringify(identityOf(item)))?.shift() === undefined;
  });
  const unpaired = new Set([...candidates.values()].flat());
  const removed = from.filter((item) => unpaired.has(item));
  return { added, removed, same: from.length - removed.length };
}

function makerOf({
  model,
  modelRevision,
  agent,
  agentRevision,
  provider,
}: Maker): (string | null)[] {
  return [model, modelRevision, agent, agentRevision, provider];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
