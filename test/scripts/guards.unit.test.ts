import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GUARDS } from "../../scripts/guards/list.ts";
import { SECOND_LINES } from "../../scripts/guards/second-lines.ts";
import { withoutGuard } from "../../scripts/guards/without-guard.ts";

const project = join(import.meta.dirname, "..", "..");

test("every guard has a name of its own", () => {
  const names = GUARDS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

test.each(GUARDS)("the guard $name is in its file, once, and its test exists", async (guard) => {
  const source = await readFile(join(project, guard.file), "utf8");
  expect(withoutGuard(source, guard)).not.toBe(source);
  expect(await readFile(join(project, guard.test), "utf8")).toContain(guard.fails);
});

test.each(SECOND_LINES)(
  "the second line of defense, $condition, is in its file, once",
  async (line) => {
    const source = await readFile(join(project, line.file), "utf8");
    expect(source.split(line.text)).toHaveLength(2);
  },
);
