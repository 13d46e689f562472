import type { Paint } from "./paint.ts";
import { sparkline } from "./sparkline.ts";
import { lengthOf, type TimeColumns, timeAxisLines } from "./time-axis.ts";
import { valueAxis } from "./value-axis.ts";

/** A layer of a stack. */
export interface Layer {
  name: string;
  /** Shows the layer without color. Unique in the chart. */
  letter: string;
  /** A number of the 256-color palette. */
  color: number;
  /** One value for each column, 0 or more: the one at its end. */
  values: readonly number[];
  /** The highest value in each column. */
  peaks: readonly number[];
}

export interface StackedChart {
  title: string;
  /** What is counted, in the singular and the plural. */
  unit: readonly [string, string];
  /** From the top of the stack to the bottom. */
  layers: readonly Layer[];
  time: TimeColumns;
  /** The stack has at most so many rows. */
  rowsMax: number;
}

/** Two spaces, a letter, a space; a space and the axis. */
const AROUND_NAME = 4 + 2;
/** Two spaces and two numbers of six characters. */
const NUMBERS = 2 + 6 + 6;

/** Returns how many columns a chart of this width has beside the names and numbers of its layers. */
export function plotWidth(width: number, names: readonly string[]): number {
  return width - AROUND_NAME - Math.max(...names.map(({ length }) => length)) - NUMBERS;
}

/**
 * Returns the lines of a stacked chart of values over time. Below it, each layer has a line with its peaks, on the same time
 * axis but on its own scale: a thin layer, or one that lasts for minutes, cannot be seen in the stack. The last value and
 * the highest are beside it. The libraries for terminals have lines and bars, but no stacks, and their axes have uneven
 * steps.
 */
export function stackedChart(chart: StackedChart, paint: Paint): string[] {
  const { title, unit, layers, time, rowsMax } = chart;
  const nameWidth = Math.max(...layers.map(({ name }) => name.length));
  const margin = nameWidth + AROUND_NAME - 2;
  const tops = topsOf(layers, time.columns);
  const axis = valueAxis(Math.max(...tops.map((column) => column[0] ?? 0)), rowsMax);
  const rows = Array.from({ length: axis.rows }, (_, fromTop) => {
    const row = axis.rows - 1 - fromTop;
    const tick = axis.ticks.find((each) => each.row === row);
    const place = { row, perRow: axis.perRow, isColored: paint !== null };
    const cells = tops.map((column) => cellOf(layers, column, place));
    const number = tick === undefined ? "" : tick.value.toLocaleString("en-US");
    return `${number.padStart(margin)} ${tick === undefined ? "│" : "┤"}${painted(cells, paint)}`;
  });
  const { rule, labels } = timeAxisLines(time);
  const peaksTitle = "  Peaks";
  const each = `A row is ${axis.perRow} ${unit[axis.perRow === 1 ? 0 : 1]}. A column shows the end of ${lengthOf(time)}.`;
  return [
    title,
    `  ${each}`,
    ...rows,
    `${"0".padStart(margin)} ┼${rule}`,
    `${" ".repeat(margin + 2)}${labels}`,
    `${peaksTitle.padEnd(margin + 2 + time.columns)}  ${"now".padStart(6)}${"most".padStart(6)}`,
    ...layers.map((layer) => layerLine(layer, { nameWidth, columns: time.columns, paint })),
  ].map((line) => line.trimEnd());
}

/** Returns the upper edge of each layer in each column, from the top of the stack to the bottom. */
function topsOf(layers: readonly Layer[], columns: number): number[][] {
  return Array.from({ length: columns }, (_, column) => {
    let edge = 0;
    return layers
      .toReversed()
      .map(({ values }) => (edge += values[column] ?? 0))
      .toReversed();
  });
}

/** Returns the layer at a height of a column. Undefined above the stack. */
function layerAt(layers: readonly Layer[], tops: readonly number[], height: number) {
  return layers[tops.findLastIndex((edge) => edge > height)];
}

/** What is drawn in a place of the plot. Without color, only the text. */
interface Cell {
  text: string;
  color?: number;
  behind?: number;
}

interface CellPlace {
  row: number;
  perRow: number;
  isColored: boolean;
}

/** Returns the cell of a row. Color shows two halves: a half has the layer that is in its middle. */
function cellOf(layers: readonly Layer[], tops: readonly number[], place: CellPlace): Cell {
  const { row, perRow, isColored } = place;
  if (!isColored) return { text: layerAt(layers, tops, (row + 0.5) * perRow)?.letter ?? " " };
  const upper = layerAt(layers, tops, (row + 0.75) * perRow);
  const lower = layerAt(layers, tops, (row + 0.25) * perRow);
  if (lower === undefined) return { text: " " };
  if (upper === lower) return { text: "█", color: lower.color };
  return { text: "▄", color: lower.color, ...(upper && { behind: upper.color }) };
}

/** Colors neighbors of the same color together, so that a chart is short enough to be redrawn without flicker. */
function painted(cells: readonly Cell[], paint: Paint): string {
  const runs: Cell[] = [];
  for (const cell of cells) {
    const last = runs.at(-1);
    if (last && last.color === cell.color && last.behind === cell.behind) last.text += cell.text;
    else runs.push({ ...cell });
  }
  return runs
    .map(({ text, color, behind }) =>
      color === undefined || paint === null ? text : paint(text, color, behind),
    )
    .join("");
}

function layerLine(
  { name, letter, color, values, peaks }: Layer,
  { nameWidth, columns, paint }: { nameWidth: number; columns: number; paint: Paint },
): string {
  const key = paint === null ? letter : paint("█", color);
  const bars = sparkline(peaks).padEnd(columns);
  const line = paint === null ? bars : paint(bars, color);
  const now = String(values.at(-1) ?? 0).padStart(6);
  const most = String(Math.max(0, ...peaks)).padStart(6);
  return `  ${key} ${name.padEnd(nameWidth)} │${line}  ${now}${most}`;
}
