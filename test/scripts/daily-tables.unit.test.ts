import { expect, test } from "vitest";
import {
  besideOrBelow,
  type Day,
  stageTimeLines,
  throughputLines,
} from "../../scripts/seed/daily-tables.ts";
import { STEP_KINDS, type StepKind } from "../../src/domain/lifecycle/statuses.ts";

const none = { created: 0, delivered: 0, rejected: 0, duplicate: 0, reworked: 0, revised: 0 };
const completed = (some: Partial<Record<StepKind, number>>) =>
  ({ ...Object.fromEntries(STEP_KINDS.map((kind) => [kind, 0])), ...some }) as Record<
    StepKind,
    number
  >;
const stay = (kind: StepKind, p50: number) => ({ kind, stays: 1, seconds: { p50 } });

const days: readonly Day[] = [
  {
    throughput: {
      ...none,
      start: "2026-09-07T00:00:00.000000Z",
      created: 12,
      completed: completed({ pre_qa: 3, expert_review: 1 }),
      delivered: 4,
    },
    stages: [stay("ingestion", 59), stay("authoring", 3_600), stay("delivery", 129_600)],
  },
  {
    throughput: {
      ...none,
      start: "2026-09-08T00:00:00.000000Z",
      completed: completed({ pre_qa: 2 }),
      rejected: 1,
      duplicate: 5,
      reworked: 6,
    },
    stages: [stay("ingestion", 60), { kind: "authoring", stays: 0, seconds: null }],
  },
];

test("the throughput has a row for each day and their sum", () => {
  expect(throughputLines(days)).toEqual([
    "Throughput by day (tasks)",
    "             created  checked  reviewed  delivered  rejected  dupl.  reworked",
    "  Mon Sep 7       12        3         1          4         0      0         0",
    "  Tue Sep 8        0        2         0          0         1      5         6",
    "  all             12        5         1          4         1      5         6",
  ]);
});

test("the stage times have a unit for each, and a dash for a day without a stay", () => {
  expect(stageTimeLines(days, [stay("pre_qa", 90_000)])).toEqual([
    "Median time at each stage, by the day on which it ended",
    "             ingest  author  pre-QA  output  review  calibr  deliver",
    "  Mon Sep 7    59 s   1.0 h       –       –       –       –    1.5 d",
    "  Tue Sep 8   1 min       –       –       –       –       –        –",
    "  all             –       –   1.0 d       –       –       –        –",
  ]);
});

test("blocks are beside each other only if both fit", () => {
  const [left, right] = [
    ["ab", "a"],
    ["x", "yz", "z"],
  ];
  expect(besideOrBelow(left ?? [], right ?? [], 8)).toEqual(["ab    x", "a     yz", "      z"]);
  expect(besideOrBelow(left ?? [], right ?? [], 7)).toEqual(["ab", "a", "", "x", "yz", "z"]);
});
