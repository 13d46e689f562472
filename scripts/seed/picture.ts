import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import type { Paint } from "../chart/paint.ts";
import { plotWidth, stackedChart } from "../chart/stacked-chart.ts";
import { timeColumns } from "../chart/time-axis.ts";
import type { ApiClient } from "../import/api-client.ts";
import type { SeedRun } from "./api.ts";
import { besideOrBelow, stageTimeLines, throughputLines } from "./daily-tables.ts";
import type { LabelHistory } from "./label-history.ts";
import { LABEL_STYLES } from "./label-layers.ts";
import { readDays } from "./read-days.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const ROWS_MAX = 24;
const ROWS_MIN = 6;
/** The lines of a chart besides the stack and the layers, and the line above it. */
const AROUND = 8;
/** More rows do not fit on a screen. */
const TABLE_DAYS_MAX = 14;

export interface View {
  /** Characters in a line. */
  width: number;
  /** Lines of the screen. Null if there is no need to fit into one. */
  height: number | null;
  paint: Paint;
  /** The chart covers so many days before the present; null for the whole story. */
  lastDays: number | null;
}

/** Returns the beginning and the end of what is shown, in milliseconds since 1970. */
function rangeOf(run: SeedRun, { lastDays }: View): { from: number; to: number } {
  const [begin, now] = [Date.parse(run.begin), Date.parse(run.clock)];
  return { from: lastDays === null ? begin : Math.max(begin, now - lastDays * DAY_MS), to: now };
}

/** Returns the lines of a chart with the number of tasks of each label over simulated time. */
export function labelChart(run: SeedRun, history: LabelHistory, view: View): string[] {
  const { from, to } = rangeOf(run, view);
  const time = timeColumns(from, to, plotWidth(view.width, UNIFIED_STATUSES));
  const counts = history.countsIn(time, from);
  const layers = UNIFIED_STATUSES.map((name) => ({
    name,
    ...LABEL_STYLES[name],
    values: counts[name].ends,
    peaks: counts[name].peaks,
  }));
  const title = `Tasks by label, up to ${run.clock.slice(0, 16).replace("T", " ")} UTC (simulated)`;
  const rowsMax = view.height === null ? ROWS_MAX : view.height - UNIFIED_STATUSES.length - AROUND;
  return stackedChart(
    {
      title,
      unit: ["task", "tasks"],
      layers,
      time,
      rowsMax: Math.max(ROWS_MIN, Math.min(ROWS_MAX, rowsMax)),
    },
    view.paint,
  );
}

/** Returns the lines of two tables with the service's statistics of the last days. */
export async function dailyTables(client: ApiClient, run: SeedRun, view: View): Promise<string[]> {
  const { from, to } = rangeOf(run, view);
  const { days, all } = await readDays(client, {
    from: Math.max(from, to - (TABLE_DAYS_MAX - 1) * DAY_MS),
    to,
  });
  return besideOrBelow(throughputLines(days), stageTimeLines(days, all), view.width);
}
