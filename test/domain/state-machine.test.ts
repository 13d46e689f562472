import { expect, test } from "vitest";
import { generateStateMachine } from "../../scripts/generate/state-machine.ts";
import { STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { parseRowsByKind, STEP_TRANSITIONS_TEXT } from "./support/tables.ts";

const page = generateStateMachine();

/** Returns the lines of the diagram under a heading. */
function diagramOf(heading: string): string[] {
  const [, section = ""] = page.split(`\n${heading}\n`);
  const [, diagram = ""] = section.split("```");
  return diagram
    .split("\n")
    .slice(2, -1)
    .map((line) => line.trim());
}

test.each(STEP_KINDS)(
  "the page on the state machine draws exactly the transitions of %s",
  (kind) => {
    const rows = parseRowsByKind(STEP_TRANSITIONS_TEXT).get(kind) ?? new Map<string, string[]>();
    const arrows = [...rows].flatMap(([from, targets]) => targets.map((to) => `${from} --> ${to}`));
    expect(diagramOf(`### ${kind}`).toSorted()).toEqual(arrows.toSorted());
  },
);

test("the page on the state machine shows the bulk matrix with 19 allowed cells", () => {
  const [, section = ""] = page.split("\n## Bulk changes\n");
  expect(section.split("\n## ")[0]?.match(/ yes /g)).toHaveLength(19);
});

test("the page on the state machine is the same each time", () => {
  expect(generateStateMachine()).toBe(page);
});
