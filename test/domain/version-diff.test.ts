import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { TaskContent } from "../../src/domain/lifecycle/decision.ts";
import { STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import {
  type ContentChange,
  diffVersions,
  type VersionDatum,
  type VersionPrompt,
  type VersionStep,
  type WholeVersion,
} from "../../src/domain/versions/diff.ts";
import { diffText, type Hunk } from "../../src/domain/versions/diff-lines.ts";

const EMPTY: WholeVersion = { content: {}, steps: [], prompts: [], data: [] };
const diffContents = (from: TaskContent, to: TaskContent) =>
  diffVersions({ ...EMPTY, content: from }, { ...EMPTY, content: to }).content;

/** Applies the hunks to the text, and expects the text to match their context. */
function patched(text: string, hunks: readonly Hunk[]): string {
  const lines = text.split("\n");
  const result: string[] = [];
  let read = 0;
  for (const hunk of hunks) {
    result.push(...lines.slice(read, hunk.fromLine - 1));
    read = hunk.fromLine - 1;
    expect(hunk.toLine).toBe(result.length + 1);
    for (const { op, text: line } of hunk.lines) {
      if (op !== "+") {
        expect(lines[read]).toBe(line);
        read += 1;
      }
      if (op !== "-") result.push(line);
    }
  }
  return [...result, ...lines.slice(read)].join("\n");
}

/** Applies the changes to the content one by one. */
function applied(content: TaskContent, changes: readonly ContentChange[]): unknown {
  let root: unknown = structuredClone(content);
  for (const change of changes) root = withChange(root, change, change.path);
  return root;
}

function withChange(
  node: unknown,
  change: ContentChange,
  [key, ...rest]: (string | number)[],
): unknown {
  if (key === undefined) {
    if (change.op === "edited") return patched(String(node), change.hunks);
    return change.op === "removed" ? undefined : change.to;
  }
  if (Array.isArray(node)) {
    const index = Number(key);
    if (rest.length === 0 && change.op === "removed") {
      expect(index).toBe(node.length - 1);
      return node.slice(0, -1);
    }
    return Object.assign([...node], { [index]: withChange(node[index], change, rest) });
  }
  const { [key]: value, ...others } = node as Record<string, unknown>;
  if (rest.length === 0 && change.op === "removed") return others;
  return { ...others, [key]: withChange(value, change, rest) };
}

const lines = fc
  .array(fc.constantFrom("a", "b", "c", "", "d\r"), { maxLength: 40 })
  .map((all) => all.join("\n"));
const key = fc.constantFrom("one", "two", "three", "four", "brief");
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<unknown>(null, true, 0, 1, "text", "other", "brief"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const content: fc.Arbitrary<TaskContent> = fc.record(
  {
    brief: lines,
    instructions: lines,
    metadata: fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }),
  },
  { requiredKeys: [] },
);

describe("the diff of two contents", () => {
  it("transforms one content into the other, and back", () => {
    fc.assert(
      fc.property(content, content, (from, to) => {
        expect(applied(from, diffContents(from, to))).toEqual(to);
        expect(applied(to, diffContents(to, from))).toEqual(from);
      }),
      { numRuns: 500 },
    );
  });

  it("of a content with itself is empty", () => {
    fc.assert(
      fc.property(content, (same) => {
        expect(diffContents(same, structuredClone(same))).toEqual([]);
      }),
    );
  });

  it("lists added, removed and changed values by path", () => {
    const from = { brief: "Add.", metadata: { level: 1, tags: ["x", "y"], old: true } };
    const to = { brief: "Add.", metadata: { level: 2, tags: ["x"], fresh: { a: 1 } } };
    expect(diffContents(from, to)).toEqual([
      { op: "added", path: ["metadata", "fresh"], to: { a: 1 } },
      { op: "changed", path: ["metadata", "level"], from: 1, to: 2 },
      { op: "removed", path: ["metadata", "old"], from: true },
      { op: "removed", path: ["metadata", "tags", 1], from: "y" },
    ]);
  });

  it("distinguishes a list from an object, and null from an absent value", () => {
    const changes = diffContents(
      { metadata: { a: [], b: null } },
      { metadata: { a: {}, c: null } },
    );
    expect(changes.map(({ op, path }) => [op, path.at(-1)])).toEqual([
      ["changed", "a"],
      ["removed", "b"],
      ["added", "c"],
    ]);
  });
});

/** Returns the smallest number of line insertions and deletions, by dynamic programming. */
function editDistance(from: readonly string[], to: readonly string[]): number {
  let row = to.map((_, index) => index + 1);
  row.unshift(0);
  for (const [index, line] of from.entries()) {
    const next = [index + 1];
    for (const [column, other] of to.entries()) {
      const kept = line === other ? (row[column] ?? 0) : Number.POSITIVE_INFINITY;
      next.push(Math.min(kept, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

describe("the diff of two texts", () => {
  it("is as short as possible", () => {
    fc.assert(
      fc.property(lines, lines, (from, to) => {
        const edits = (diffText(from, to) ?? []).flatMap((hunk) => hunk.lines);
        const edited = edits.filter(({ op }) => op !== " ").length;
        expect(edited).toBe(editDistance(from.split("\n"), to.split("\n")));
      }),
    );
  });

  it("shows three lines around each difference, and joins nearby hunks", () => {
    const numbers = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
    const edited = numbers.with(4, "line five").with(9, "line ten").with(24, "line 25, again");
    const hunks = diffText(numbers.join("\n"), edited.join("\n"));
    expect(hunks?.map(({ fromLine, toLine, lines: shown }) => [fromLine, toLine, shown.length]))
      // Lines 2 to 13 with two changes, and lines 22 to 28 with one.
      .toEqual([
        [2, 2, 14],
        [22, 22, 8],
      ]);
  });

  it("detects a line break at the end, and a carriage return", () => {
    expect(diffText("a\n", "a")?.[0]?.lines).toEqual([
      { op: " ", text: "a" },
      { op: "-", text: "" },
    ]);
    expect(diffText("a\r", "a")?.[0]?.lines).toEqual([
      { op: "-", text: "a\r" },
      { op: "+", text: "a" },
    ]);
  });

  test("of long texts that share too little returns both whole, without comparing them for long", () => {
    const text = (word: string) =>
      Array.from({ length: 20_000 }, (_, index) => `${word} ${index}`).join("\n");
    const [from, to] = [text("one"), text("other")];
    expect(diffText(from, to)).toBeNull();
    expect(diffContents({ brief: from }, { brief: to })).toEqual([
      { op: "changed", path: ["brief"], from, to },
    ]);
  });
});

const NO_MAKER = {
  model: null,
  modelRevision: null,
  agent: null,
  agentRevision: null,
  provider: null,
};
const step = fc.record({
  id: fc.uuid(),
  kind: fc.constantFrom(...STEP_KINDS),
  attempt: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom("queued", "approved"),
  gate: fc.constantFrom("pending", "passed", "revoked"),
}) satisfies fc.Arbitrary<VersionStep>;
const steps = fc.uniqueArray(step, {
  maxLength: 12,
  selector: ({ kind, attempt }) => `${kind} ${attempt}`,
});
const prompts = fc.array(
  fc.record({
    id: fc.uuid(),
    stepId: fc.uuid(),
    role: fc.constantFrom("user", "assistant"),
    contentHash: fc.constantFrom("h1", "h2"),
    model: fc.constantFrom(null, "m"),
    modelRevision: fc.constantFrom(null, "r"),
    agent: fc.constant(null),
    agentRevision: fc.constant(null),
    provider: fc.constant(null),
  }),
  { maxLength: 8 },
) satisfies fc.Arbitrary<VersionPrompt[]>;

describe("the diff of two versions", () => {
  it("transforms the steps of one version into those of the other", () => {
    const stateOf = ({ id: _id, ...state }: VersionStep) => JSON.stringify(state);
    fc.assert(
      fc.property(steps, steps, (from, to) => {
        const diff = diffVersions({ ...EMPTY, steps: from }, { ...EMPTY, steps: to }).steps;
        const gone = new Set([...diff.removed, ...diff.changed.map((pair) => pair.from)]);
        const kept = from.filter((one) => !gone.has(one));
        const after = [...kept, ...diff.added, ...diff.changed.map((pair) => pair.to)];
        expect(kept.length).toBe(diff.same);
        expect(after.map(stateOf).toSorted()).toEqual(to.map(stateOf).toSorted());
      }),
    );
  });

  it("transforms the prompts of one version into those of the other, counting repeated ones", () => {
    const stateOf = ({ id: _id, stepId: _step, ...prompt }: VersionPrompt) =>
      JSON.stringify(prompt);
    fc.assert(
      fc.property(prompts, prompts, (from, to) => {
        const diff = diffVersions({ ...EMPTY, prompts: from }, { ...EMPTY, prompts: to }).prompts;
        const kept = from.filter((one) => !diff.removed.includes(one));
        expect(kept.length).toBe(diff.same);
        expect([...kept, ...diff.added].map(stateOf).toSorted()).toEqual(
          to.map(stateOf).toSorted(),
        );
        const keys = new Set(diff.removed.map(stateOf));
        expect(diff.added.map(stateOf).filter((one) => keys.has(one))).toEqual([]);
      }),
    );
  });

  it("distinguishes data by their content and their maker", () => {
    const datum = (id: string, sha256: string, model: string | null): VersionDatum => {
      return { ...NO_MAKER, id, stepId: "s", kind: "generated", sha256, model };
    };
    const diff = diffVersions(
      { ...EMPTY, data: [datum("1", "x", "m"), datum("2", "y", "m")] },
      { ...EMPTY, data: [datum("3", "x", "m"), datum("4", "y", "n")] },
    ).data;
    expect(diff).toEqual({
      added: [datum("4", "y", "n")],
      removed: [datum("2", "y", "m")],
      same: 1,
    });
  });
});
