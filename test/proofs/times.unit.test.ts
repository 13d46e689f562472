import { expect, test } from "vitest";
import { documentedTimes, timeColumns } from "../support/node/documented-times.ts";

const { simulated, real } = await documentedTimes();
const columns = await timeColumns();

const isIn = (list: typeof real, { table, column }: { table: string; column: string }) => {
  const listed = list.get(table);
  return listed === null || listed?.includes(column) === true;
};

test("every time in the database is either simulated or real, and docs/demo.md says which", () => {
  const undecided = columns.filter((one) => isIn(simulated, one) === isIn(real, one));
  expect(undecided).toEqual([]);
  expect(columns.length).toBeGreaterThan(80);
});

test("docs/demo.md lists no time that the database does not have", () => {
  const known = new Set(columns.flatMap(({ table, column }) => [table, `${table}.${column}`]));
  const listed = [simulated, real].flatMap((list) =>
    [...list].flatMap(([table, some]) => some?.map((column) => `${table}.${column}`) ?? [table]),
  );
  expect(listed.filter((name) => !known.has(name))).toEqual([]);
});

test("a column's default is the clock that its list names", () => {
  for (const one of columns) {
    if (one.default === null) continue;
    expect(one.default.includes("writer_clock"), `${one.table}.${one.column}`).toBe(
      isIn(simulated, one),
    );
  }
});
