import { expect, test } from "vitest";
import { LabelHistory } from "../../scripts/seed/label-history.ts";
import type { RecordedEvent } from "../../src/domain/lifecycle/fold.ts";
import type { StepEventType, StepStatus } from "../../src/domain/lifecycle/statuses.ts";

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 8, 7);

type Happening = [
  minute: number,
  task: string,
  type: StepEventType,
  from: StepStatus | null,
  to: StepStatus,
];

/** Returns a history of tasks whose only step is a draft that can be rejected. */
function historyOf(happenings: readonly Happening[]): LabelHistory {
  const history = new LabelHistory();
  const seqs = new Map<string, number>();
  for (const [minute, taskId, type, fromStatus, toStatus] of happenings) {
    const seq = (seqs.get(taskId) ?? 0) + 1;
    seqs.set(taskId, seq);
    const task = { title: "", externalId: null, taxonomyCode: null, priority: 0, assignee: null };
    const opened = { kind: "ingestion", attempt: 1, fromStepId: null };
    const event: RecordedEvent = {
      taskId,
      seq,
      type,
      stepId: "step",
      versionId: "version",
      step: { kind: "ingestion", attempt: 1 },
      versionNumber: 1,
      fromStatus,
      toStatus,
      fromGate: type === "task_created" ? null : "pending",
      toGate: "pending",
      duplicateOf: null,
      payload: type === "task_created" ? { ...task, contentHash: "", opened } : {},
      at: new Date(START + minute * 60_000).toISOString(),
    };
    history.add(event);
  }
  return history;
}

const HOURS = { start: START, columnMs: HOUR_MS, columns: 4 };

const created = (minute: number, task: string): Happening => {
  return [minute, task, "task_created", null, "queued"];
};
const rejected = (minute: number, task: string): Happening => {
  return [minute, task, "step_transitioned", "queued", "rejected"];
};

test("a column has the counts at its end and the most in it, and its end belongs to it", () => {
  const history = historyOf([
    created(10, "a"),
    created(20, "b"),
    rejected(30, "a"),
    created(60, "c"),
    rejected(61, "b"),
    rejected(190, "c"),
  ]);
  const { DRAFT, REJECTED, PASSED } = history.countsIn(HOURS);
  expect(DRAFT).toEqual({ ends: [2, 1, 1, 0], peaks: [2, 2, 1, 1] });
  expect(REJECTED).toEqual({ ends: [1, 2, 2, 3], peaks: [1, 2, 2, 3] });
  expect(PASSED).toEqual({ ends: [0, 0, 0, 0], peaks: [0, 0, 0, 0] });
  expect(history.present()).toMatchObject({ DRAFT: 0, REJECTED: 3 });
});

test("events that come late are counted at their time", () => {
  const [first, ...others] = [created(200, "z"), created(10, "a"), created(20, "b")];
  const late = historyOf([...others, first ?? expect.fail()]);
  const early = historyOf([first, ...others]);
  expect(early.countsIn(HOURS)).toEqual(late.countsIn(HOURS));
  expect(early.countsIn(HOURS).DRAFT.ends).toEqual([2, 2, 2, 3]);
});

test("tasks that change at the same moment have no moment between them", () => {
  const { DRAFT, REJECTED } = historyOf([
    created(10, "a"),
    created(70, "b"),
    rejected(70, "a"),
  ]).countsIn(HOURS);
  expect(DRAFT.peaks).toEqual([1, 1, 1, 1]);
  expect(REJECTED.peaks).toEqual([0, 1, 1, 1]);
});

test("an archived task has no label, and its peak before the beginning does not count", () => {
  const history = historyOf([
    created(-20, "a"),
    [5, "a", "task_archived", "queued", "queued"],
    created(30, "b"),
  ]);
  expect(history.countsIn(HOURS).DRAFT).toEqual({ ends: [1, 1, 1, 1], peaks: [1, 1, 1, 1] });
  const after = history.countsIn(HOURS, START + 5 * 60_000).DRAFT;
  expect(after.peaks).toEqual([1, 1, 1, 1]);
  const none = historyOf([created(-20, "a"), [5, "a", "task_archived", "queued", "queued"]]);
  expect(none.countsIn(HOURS).DRAFT.peaks).toEqual([1, 0, 0, 0]);
  expect(none.countsIn(HOURS, START + 5 * 60_000).DRAFT.peaks).toEqual([0, 0, 0, 0]);
});
