import fc from "fast-check";
import { expect, test } from "vitest";
import { type Paint, paintOf } from "../../scripts/chart/paint.ts";
import { sparkline } from "../../scripts/chart/sparkline.ts";
import { type Layer, plotWidth, stackedChart } from "../../scripts/chart/stacked-chart.ts";
import { lengthOf, timeColumns, timeTicks } from "../../scripts/chart/time-axis.ts";
import { valueAxis } from "../../scripts/chart/value-axis.ts";

const HOUR_MS = 3_600_000;
const MONDAY = Date.UTC(2026, 8, 7);

/** Marks what is colored: text, color, and the color behind it. */
const marked: Paint = (text, color, behind) => `<${text}|${color}${behind ? `|${behind}` : ""}>`;

const layers: readonly Layer[] = [
  {
    name: "OPEN",
    letter: "o",
    color: 1,
    values: [3, 3, 2, 0, 1, 1, 1, 1],
    peaks: [3, 3, 3, 2, 1, 2, 1, 1],
  },
  {
    name: "DONE",
    letter: "#",
    color: 2,
    values: [0, 1, 2, 4, 4, 4, 5, 6],
    peaks: [0, 1, 2, 4, 4, 4, 5, 6],
  },
];
const time = { start: MONDAY, columnMs: 24 * HOUR_MS, columns: 8 };
const chart = { title: "Tasks", unit: ["task", "tasks"] as const, layers, time };

test("a chart has the layers in their order, both axes, and a line for each layer", () => {
  expect(stackedChart({ ...chart, rowsMax: 10 }, null)).toEqual([
    "Tasks",
    "  A row is 1 task. A column shows the end of 1 day.",
    "         │       o",
    "       6 ┤      o#",
    "         │    oo##",
    "       4 ┤ oo#####",
    "         │ooo#####",
    "       2 ┤oo######",
    "         │o#######",
    "       0 ┼┬──────┬",
    "          Sep 7  Sep 14",
    "  Peaks                now  most",
    "  o OPEN │███▆▃▆▃▃       1     3",
    "  # DONE │ ▂▃▆▆▆▇█       6     6",
  ]);
});

test("a row of several units has the layer that is in its middle", () => {
  const lines = stackedChart({ ...chart, rowsMax: 4 }, null);
  expect(lines.slice(1, 6)).toEqual([
    "  A row is 2 tasks. A column shows the end of 1 day.",
    "       8 ┤",
    "       6 ┤      o#",
    "       4 ┤ oo#####",
    "       2 ┤oo######",
  ]);
});

test("color shows two halves of a row, and colors equal neighbors together", () => {
  const lines = stackedChart({ ...chart, rowsMax: 4 }, marked);
  expect(lines.slice(2, 6)).toEqual([
    "       8 ┤       <▄|1>",
    "       6 ┤    <▄▄|1><▄|2|1><█|2>",
    "       4 ┤<▄██|1><█████|2>",
    "       2 ┤<█|1><▄|2|1><██████|2>",
  ]);
  expect(lines.at(-2)).toBe("  <█|1> OPEN │<███▆▃▆▃▃|1>       1     3");
});

test("a stack has as many cells of a layer as its values, to half a row", () => {
  const values = fc.array(fc.nat(400), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (stack) => {
      const some = stack.map((each, at) => ({
        name: "L",
        letter: String.fromCodePoint(97 + at),
        color: at,
        values: each,
        peaks: each,
      }));
      const columns = { ...time, columns: 6 };
      const lines = stackedChart({ ...chart, layers: some, time: columns, rowsMax: 20 }, null);
      const [perRow = 0] = (/A row is (\d+)/.exec(lines[1] ?? "") ?? []).slice(1).map(Number);
      const plot = lines
        .filter((line) => /^ *[\d,]* [│┤]/.test(line))
        .map((line) => line.slice(line.search(/[│┤]/) + 1));
      expect(plot.length).toBeLessThanOrEqual(20);
      for (let column = 0; column < 6; column += 1) {
        for (const { letter, values: own } of some) {
          const cells = plot.filter((line) => line[column] === letter).length;
          expect(Math.abs(cells * perRow - (own[column] ?? 0))).toBeLessThanOrEqual(perRow);
        }
      }
    }),
  );
});

test("a chart is as wide as asked, whatever the range", () => {
  const names = layers.map(({ name }) => name);
  const ranges = fc.tuple(fc.integer({ min: 72, max: 200 }), fc.integer({ min: 1, max: 9000 }));
  fc.assert(
    fc.property(ranges, fc.nat(10_000), ([width, hours], shift) => {
      const start = MONDAY + shift * 60_000;
      const axis = timeColumns(start, start + hours * HOUR_MS, plotWidth(width, names));
      const some = layers.map((layer) => ({
        ...layer,
        values: Array.from({ length: axis.columns }, () => 7),
      }));
      const lines = stackedChart({ ...chart, layers: some, time: axis, rowsMax: 8 }, null);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      expect(axis.start).toBeLessThanOrEqual(start);
      expect(axis.start + axis.columns * axis.columnMs).toBeGreaterThanOrEqual(
        start + hours * HOUR_MS,
      );
    }),
  );
});

test.each([
  [0, { perRow: 1, rows: 1, ticks: [1] }],
  [7, { perRow: 1, rows: 7, ticks: [2, 4, 6] }],
  [16, { perRow: 1, rows: 16, ticks: [5, 10, 15] }],
  [17, { perRow: 2, rows: 9, ticks: [10] }],
  [120, { perRow: 10, rows: 12, ticks: [50, 100] }],
  [1000, { perRow: 100, rows: 10, ticks: [200, 400, 600, 800, 1000] }],
])("rows for values up to %i are round, and ticks are at their edges", (max, expected) => {
  const { perRow, rows, ticks } = valueAxis(max, 16);
  expect({ perRow, rows, ticks: ticks.map(({ value }) => value) }).toEqual(expected);
  for (const { row, value } of ticks) expect((row + 1) * perRow).toBe(value);
});

test("ticks are at midnights or Mondays, in the column that begins with them or contains them", () => {
  const week = timeColumns(MONDAY, MONDAY + 7 * 24 * HOUR_MS, 43);
  expect(lengthOf(week)).toBe("4 hours");
  expect(timeTicks(week)).toEqual([
    { column: 6, label: "Sep 8" },
    { column: 18, label: "Sep 10" },
    { column: 30, label: "Sep 12" },
  ]);
  const quarter = timeColumns(MONDAY, MONDAY + 91 * 24 * HOUR_MS, 43);
  expect(lengthOf(quarter)).toBe("2 days and 6 hours");
  expect(timeTicks(quarter).map(({ label }) => label)).toEqual(["Sep 28", "Oct 26", "Nov 23"]);
});

test("a sparkline shows every value above zero", () => {
  expect(sparkline([0, 1, 400, 800])).toBe(" ▁▄█");
  expect(sparkline([0, 0])).toBe("  ");
});

test.each([
  [{ isTTY: true, getColorDepth: (): number => 8 }, "\u001B[38;5;3mx\u001B[0m"],
  [{ isTTY: true, getColorDepth: (): number => 4 }, "x"],
  [{ isTTY: true, getColorDepth: (): number => 1 }, "x"],
  [{ getColorDepth: (): number => 24 }, "x"],
  [{}, "x"],
])("color is only for a terminal that has it: %o", (stream, expected) => {
  const paint = paintOf(stream);
  expect(paint === null ? "x" : paint("x", 3)).toBe(expected);
});
