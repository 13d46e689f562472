import { describe, expect, test } from "vitest";
import { batchesOf } from "../../../src/domain/seed/batches.ts";
import type { PlannedAct, PlannedAction } from "../../../src/domain/seed/plan.ts";

const create: PlannedAct = {
  type: "create",
  fields: { title: "", externalId: null, taxonomyCode: null, priority: 0, assignee: null },
  content: {},
};
const note = (text: string): PlannedAct => ({ type: "note", text });

/** Returns an action per line of a story, one minute after the other. */
function told(
  lines: readonly [actor: string, tasks: number[], act: PlannedAct][],
): PlannedAction[] {
  return lines.map(([actor, tasks, act], minute) => {
    return { at: new Date(minute * 60_000).toISOString(), actor, tasks, act };
  });
}

/** Where in the batches each action of a story is. */
function placesOf(actions: readonly PlannedAction[]): number[] {
  const batches = batchesOf(actions);
  return actions.map(({ at }) =>
    batches.findIndex((batch) => batch.actions.some((action) => action.at === at)),
  );
}

describe("batches", () => {
  test("hold actions of one actor and one kind, on different tasks", () => {
    const actions = told([
      ["one", [0], create],
      ["one", [1], create],
      ["two", [2], create],
      ["one", [0], note("a")],
      ["one", [1], note("b")],
      ["one", [1], note("c")],
    ]);
    const sizes = batchesOf(actions).map(({ actor, kind, actions: of }) => [
      actor,
      kind,
      of.length,
    ]);
    expect(sizes.map(String).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "one,create,2",
      "one,moves,1",
      "one,moves,2",
      "two,create,1",
    ]);
  });

  test("let a bulk operation wait for all of its tasks, and these for it", () => {
    const bulk: PlannedAct = {
      type: "bulk",
      bulk: "retry",
      intent: { action: "retry" },
      reason: "again",
    };
    const [first = -1, second = -1, long = -1, all = -1, after = -1] = placesOf(
      told([
        ["one", [0], create],
        ["two", [1], create],
        ["two", [1], note("long")],
        ["lead", [0, 1], bulk],
        ["one", [0], note("after")],
      ]),
    );
    expect(all).toBeGreaterThan(Math.max(first, second, long));
    expect(after).toBeGreaterThan(all);
  });

  test("let a duplicate wait for the creation of its original, although larger groups go first", () => {
    const duplicate: PlannedAct = {
      type: "move",
      command: { type: "transition", status: "duplicate", reason: "again", duplicateOf: 0 },
    };
    const [created = -1, , , marked = -1] = placesOf(
      told([
        ["author", [0], create],
        ["other", [1], create],
        ["other", [2], create],
        ["other", [1], duplicate],
        ["other", [1], note("a longer course, which goes first")],
        ["other", [2], note("another one")],
      ]),
    );
    expect(marked).toBeGreaterThan(created);
  });

  test("let tasks that were sent back catch up before the others go on", () => {
    const advance: PlannedAct = { type: "move", command: { type: "advance" } };
    const rework: PlannedAct = {
      type: "move",
      command: { type: "rework", toKind: "ingestion", reason: "again" },
    };
    const [, , , , , , , caughtUp, one, other] = placesOf(
      told([
        ["author", [0], create],
        ["author", [1], create],
        ["service", [0], advance],
        ["service", [1], advance],
        ["author", [1], rework],
        ["service", [0], advance],
        ["service", [1], advance],
        ["service", [1], advance],
        ["author", [0], note("on")],
        ["author", [1], note("on")],
      ]),
    );
    expect(one).toBe(other);
    expect(one).toBeGreaterThan(caughtUp ?? -1);
  });
});
