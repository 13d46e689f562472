import { STEP_KINDS, type StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { StageTimes, ThroughputDay } from "./api.ts";

/** One day by UTC, and what the statistics of the service say about it. */
export interface Day {
  throughput: ThroughputDay;
  stages: StageTimes;
}

const SHORT_NAMES: Record<StepKind, string> = {
  ingestion: "ingest",
  authoring: "author",
  pre_qa: "pre-QA",
  output_generation: "output",
  expert_review: "review",
  calibration: "calibr",
  delivery: "deliver",
};

/** Returns the lines of a table with what the tasks did each day. */
export function throughputLines(days: readonly Day[]): string[] {
  const columns: [string, (day: ThroughputDay) => number][] = [
    ["created", (day) => day.created],
    ["checked", (day) => day.completed.pre_qa],
    ["reviewed", (day) => day.completed.expert_review],
    ["delivered", (day) => day.delivered],
    ["rejected", (day) => day.rejected],
    ["dupl.", (day) => day.duplicate],
    ["reworked", (day) => day.reworked],
  ];
  const values = days.map(({ throughput }) => columns.map(([, valueOf]) => valueOf(throughput)));
  const sums = columns.map((_, at) => values.reduce((sum, row) => sum + (row[at] ?? 0), 0));
  return [
    "Throughput by day (tasks)",
    ...aligned([
      ["", ...columns.map(([name]) => name)],
      ...days.map(({ throughput }, at) => [dayOf(throughput), ...(values[at] ?? []).map(String)]),
      ["all", ...sums.map(String)],
    ]),
  ];
}

/** Returns the lines of a table with the median time that tasks stayed at each stage, for the stays that ended that day. */
export function stageTimeLines(days: readonly Day[], all: StageTimes): string[] {
  const row = (stages: StageTimes) =>
    STEP_KINDS.map((kind) => {
      const seconds = stages.find((stage) => stage.kind === kind)?.seconds ?? null;
      return seconds === null ? "–" : durationOf(seconds.p50);
    });
  return [
    "Median time at each stage, by the day on which it ended",
    ...aligned([
      ["", ...STEP_KINDS.map((kind) => SHORT_NAMES[kind])],
      ...days.map(({ throughput, stages }) => [dayOf(throughput), ...row(stages)]),
      ["all", ...row(all)],
    ]),
  ];
}

/** Puts two blocks of lines beside each other if they fit into the width, else below each other. */
export function besideOrBelow(left: readonly string[], right: readonly string[], width: number) {
  const leftWidth = Math.max(...left.map(({ length }) => length));
  const rightWidth = Math.max(...right.map(({ length }) => length));
  if (leftWidth + GAP + rightWidth > width) return [...left, "", ...right];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    `${(left[at] ?? "").padEnd(leftWidth + GAP)}${right[at] ?? ""}`.trimEnd(),
  );
}

const GAP = 4;

/** The first column is aligned to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) => {
    const cells = row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
    return `  ${cells.join("  ")}`;
  });
}

const weekday = new Intl.DateTimeFormat("en-US", { weekday: "short", timeZone: "UTC" });
const date = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", timeZone: "UTC" });

/** Returns "Mon Sep 7". */
function dayOf({ start }: { start: string }): string {
  const at = Date.parse(start);
  return `${weekday.format(at)} ${date.format(at)}`;
}

const SECOND = { seconds: 1, name: "s", digits: 0 };
const UNITS = [
  { seconds: 86_400, name: "d", digits: 1 },
  { seconds: 3_600, name: "h", digits: 1 },
  { seconds: 60, name: "min", digits: 0 },
];

/** Returns "1.5 d", "3.2 h", "12 min" or "40 s". */
function durationOf(seconds: number): string {
  const { seconds: length, name, digits } = UNITS.find((each) => seconds >= each.seconds) ?? SECOND;
  return `${(seconds / length).toFixed(digits)} ${name}`;
}
