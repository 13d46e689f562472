import { COLUMNS, STANDALONE, type TableGroup } from "./groups.ts";
import { TABLE_NAMES, type TableKey, tableKeys } from "./keys.ts";

const BOX_WIDTH = 262;
export const HEADER_HEIGHT = 46;
const ROW_HEIGHT = 19;
const BOX_GAP = 14;
const PANEL_PADDING = 12;
const TITLE_HEIGHT = 28;
const PANEL_GAP = 22;
const LANE_WIDTH = 11;
/** Between the lanes of a gutter and the boxes on either side of it. */
const LANE_MARGIN = 26;
const TOP = 116;
const MARGIN = 24;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

type Side = "left" | "right";

/** One column of a table that references another table, on the side of the box where its arrow begins. */
export interface KeyRow {
  column: string;
  side: Side;
  isDeferred: boolean;
  isSelf: boolean;
  y: number;
}

export interface TableBox extends Box {
  name: string;
  about: string;
  rows: KeyRow[];
}

export interface Panel extends Box {
  title: string;
}

/** A line from a row to the gutter, along a lane, and to the referenced table. */
export interface Arrow {
  startX: number;
  startY: number;
  laneX: number;
  endX: number;
  endY: number;
  isDeferred: boolean;
}

export interface TableMap {
  width: number;
  height: number;
  panels: Panel[];
  tables: TableBox[];
  arrows: Arrow[];
}

/** What a box shows of a key. */
type RowKey = Pick<Routed, "column" | "side" | "isDeferred" | "from" | "to">;

/** A key with the gutter that it passes: gutter 0 is left of the first column, the last one right of the last. */
interface Routed extends TableKey {
  side: Side;
  targetSide: Side;
  gutter: number;
}

/**
 * Places every table and routes every key.
 * @throws if a table has no place on the map, or a key leads farther than to the next column.
 */
export function layOut(): TableMap {
  checkPlaces();
  const keys = tableKeys().filter(({ to }) => to !== "tenants");
  const routed = keys.filter(({ from, to }) => from !== to).map(route);
  const rowsOf = (table: string): RowKey[] => [
    ...routed.filter(({ from }) => from === table),
    ...keys
      .filter(({ from, to }) => from === table && to === table)
      .map((key) => ({ ...key, side: "right" as const })),
  ];

  const lanes = gutterLanes(routed, rowsOf);
  const widths = lanes.map((count) => count * LANE_WIDTH + 2 * LANE_MARGIN);
  const xs = COLUMNS.map((_, column) =>
    widths.slice(0, column + 1).reduce((sum, width) => sum + width + BOX_WIDTH, MARGIN - BOX_WIDTH),
  );
  const upper = COLUMNS.map((groups, column) => stack(groups, xs[column] ?? 0, TOP, rowsOf));
  const upperEnd = Math.max(...upper.map(({ bottom }) => bottom));
  const lower = STANDALONE.map((group, column) =>
    stack([group], xs[column] ?? 0, upperEnd + PANEL_GAP, rowsOf),
  );
  const stacks = [...upper, ...lower];
  const tables = stacks.flatMap((one) => one.tables);
  return {
    width: (xs.at(-1) ?? 0) + BOX_WIDTH + (widths.at(-1) ?? 0) + MARGIN,
    height: Math.max(...stacks.map(({ bottom }) => bottom)) + MARGIN,
    panels: stacks.flatMap(({ panels }) => panels),
    tables,
    arrows: arrowsOf(routed, tables, xs),
  };
}

function checkPlaces(): void {
  const placed = [...COLUMNS.flat(), ...STANDALONE].flatMap(({ tables }) =>
    tables.map(([name]) => name),
  );
  const missing = TABLE_NAMES.filter((name) => !placed.includes(name));
  const unknown = placed.filter((name) => !TABLE_NAMES.includes(name));
  if (missing.length + unknown.length > 0) {
    throw new Error(
      `Edit scripts/generate/table-map/groups.ts. Tables without a place: ${missing.join(", ")}. Unknown tables: ${unknown.join(", ")}.`,
    );
  }
}

const columnOf = (table: string): number =>
  COLUMNS.findIndex((groups) =>
    groups.some(({ tables }) => tables.some(([name]) => name === table)),
  );

/** Keys within the middle column go left if they are deferred; within an outer column they go outside. */
function route(key: TableKey): Routed {
  const [from, to] = [columnOf(key.from), columnOf(key.to)];
  if (from === -1 || to === -1 || Math.abs(from - to) > 1) {
    throw new Error(
      `Edit scripts/generate/table-map/groups.ts: ${key.from} references ${key.to}, so they must be in the same column or in neighboring ones.`,
    );
  }
  if (from < to) return { ...key, side: "right", targetSide: "left", gutter: to };
  if (from > to) return { ...key, side: "left", targetSide: "right", gutter: from };
  const isMiddle = from > 0 && from < COLUMNS.length - 1;
  const isLeft = isMiddle ? key.isDeferred : from === 0;
  const side = isLeft ? "left" : "right";
  return { ...key, side, targetSide: side, gutter: isLeft ? from : from + 1 };
}

/** How many lanes each gutter needs. The vertical order of tables is enough to know. */
function gutterLanes(
  routed: readonly Routed[],
  rowsOf: (table: string) => readonly RowKey[],
): number[] {
  const trial = COLUMNS.map((groups) => stack(groups, 0, TOP, rowsOf)).flatMap(
    ({ tables }) => tables,
  );
  return Array.from({ length: COLUMNS.length + 1 }, (_, gutter) => {
    const ends = endsOf(
      routed.filter((key) => key.gutter === gutter),
      trial,
    );
    return Math.max(0, ...assignLanes(ends).map((lane) => lane + 1));
  });
}

function stack(
  groups: readonly TableGroup[],
  x: number,
  top: number,
  rowsOf: (table: string) => readonly RowKey[],
): { panels: Panel[]; tables: TableBox[]; bottom: number } {
  const panels: Panel[] = [];
  const tables: TableBox[] = [];
  let y = top;
  for (const group of groups) {
    const panelTop = y;
    y += TITLE_HEIGHT + PANEL_PADDING;
    for (const [name, about] of group.tables) {
      const rows = rowsOf(name).map(({ column, side, isDeferred, from, to }, index): KeyRow => ({
        column,
        side,
        isDeferred,
        isSelf: from === to,
        y: y + HEADER_HEIGHT + ROW_HEIGHT * (index + 0.5) + 2,
      }));
      const height = HEADER_HEIGHT + rows.length * ROW_HEIGHT + (rows.length > 0 ? 8 : 0);
      tables.push({ name, about, rows, x, y, width: BOX_WIDTH, height });
      y += height + BOX_GAP;
    }
    y += PANEL_PADDING - BOX_GAP;
    panels.push({
      title: group.title,
      x: x - PANEL_PADDING,
      y: panelTop,
      width: BOX_WIDTH + 2 * PANEL_PADDING,
      height: y - panelTop,
    });
    y += PANEL_GAP;
  }
  return { panels, tables, bottom: y - PANEL_GAP };
}

interface Ends {
  key: Routed;
  source: TableBox;
  target: TableBox;
  fromY: number;
  toY: number;
}

/** Where keys begin and end: at their row, and spread over the side of the referenced table's header. */
function endsOf(keys: readonly Routed[], tables: readonly TableBox[]): Ends[] {
  const find = (name: string): TableBox => {
    const table = tables.find((one) => one.name === name);
    if (table === undefined) throw new Error(`No box for ${name}`);
    return table;
  };
  const ends = keys.map((key) => {
    const source = find(key.from);
    const row = source.rows.find(
      ({ column, side, isDeferred }) =>
        column === key.column && side === key.side && isDeferred === key.isDeferred,
    );
    if (row === undefined) throw new Error(`No row for ${key.from}.${key.column}`);
    return { key, source, target: find(key.to), fromY: row.y };
  });
  return ends.map((end) => {
    const arrivals = ends
      .filter(({ target, key }) => target === end.target && key.targetSide === end.key.targetSide)
      .toSorted((one, other) => one.fromY - other.fromY);
    const step = (HEADER_HEIGHT - 12) / Math.max(arrivals.length, 1);
    const toY = end.target.y + 6 + step * (arrivals.indexOf(end) + 0.5);
    return { ...end, toY };
  });
}

/** Gives each key a lane, short ones first, so that no two overlap in one lane. */
function assignLanes(ends: readonly Ends[]): number[] {
  const taken: { lane: number; top: number; bottom: number }[] = [];
  const lanes = new Map<Ends, number>();
  const span = ({ fromY, toY }: Ends) => Math.abs(fromY - toY);
  for (const end of ends.toSorted((one, other) => span(one) - span(other))) {
    const top = Math.min(end.fromY, end.toY) - 8;
    const bottom = Math.max(end.fromY, end.toY) + 8;
    let lane = 0;
    while (taken.some((one) => one.lane === lane && one.top < bottom && top < one.bottom))
      lane += 1;
    taken.push({ lane, top, bottom });
    lanes.set(end, lane);
  }
  return ends.map((end) => lanes.get(end) ?? 0);
}

function arrowsOf(
  routed: readonly Routed[],
  tables: readonly TableBox[],
  xs: readonly number[],
): Arrow[] {
  return Array.from({ length: COLUMNS.length + 1 }, (_, gutter) => {
    const ends = endsOf(
      routed.filter((key) => key.gutter === gutter),
      tables,
    );
    const lanes = assignLanes(ends);
    // Lanes count from the middle column outward, where most keys lead; outside, from the boxes.
    const middle = (COLUMNS.length - 1) / 2;
    const isRightOfMiddle = gutter > middle;
    const isOuter = gutter === 0 || gutter === COLUMNS.length;
    const fromLeft = isOuter ? gutter > 0 : isRightOfMiddle;
    const origin = fromLeft
      ? (xs[gutter - 1] ?? 0) + BOX_WIDTH + LANE_MARGIN
      : (xs[gutter] ?? 0) - LANE_MARGIN;
    return ends.map(({ key, source, target, fromY, toY }, index): Arrow => {
      return {
        startX: key.side === "left" ? source.x : source.x + source.width,
        startY: fromY,
        laneX: origin + (fromLeft ? 1 : -1) * (lanes[index] ?? 0) * LANE_WIDTH,
        endX: key.targetSide === "left" ? target.x : target.x + target.width,
        endY: toY,
        isDeferred: key.isDeferred,
      };
    });
  }).flat();
}
