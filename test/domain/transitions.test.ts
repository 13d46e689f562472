import { describe, expect, test } from "vitest";
import { EVAL_TRANSITIONS, TRIAL_TRANSITIONS } from "../../src/domain/evals/transitions.ts";
import { DISPATCH_TRANSITIONS } from "../../src/domain/pipelines/states.ts";
import { isRunEnded, RUN_TRANSITIONS } from "../../src/domain/lifecycle/runs.ts";
import { OPERATION_TRANSITIONS } from "../../src/domain/bulk/states.ts";
import { STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import {
  allowedNext,
  isKindFrom,
  kindHasStatus,
  kindsUpTo,
  nextKind,
  startStatuses,
  STEP_TRANSITIONS,
} from "../../src/domain/lifecycle/transitions.ts";
import {
  DISPATCH_TRANSITIONS_TEXT,
  EVAL_TRANSITIONS_TEXT,
  OPERATION_TRANSITIONS_TEXT,
  parseRows,
  parseRowsByKind,
  RUN_TRANSITIONS_TEXT,
  STEP_TRANSITIONS_TEXT,
  TRIAL_TRANSITIONS_TEXT,
} from "./support/tables.ts";
import { expectDecision, givenTask, expectRefusal } from "./support/world.ts";

const expected = parseRowsByKind(STEP_TRANSITIONS_TEXT);

describe.each(STEP_KINDS)("a step of kind %s", (kind) => {
  const rows = expected.get(kind) ?? new Map<string, string[]>();

  test("has exactly the expected transitions, with a row for every status", () => {
    expect(Object.keys(STEP_TRANSITIONS[kind])).toEqual([...STEP_STATUSES]);
    for (const from of STEP_STATUSES) {
      expect(allowedNext(kind, from), from).toEqual(rows.get(from) ?? []);
    }
  });

  test("makes every transition in its table, and its event records the old and the new status", () => {
    for (const from of STEP_STATUSES) {
      for (const to of allowedNext(kind, from)) {
        const task = givenTask({ kind, status: from });
        const { events } = expectDecision(task, {
          type: "transition",
          status: to,
          reason: "because",
          runAttachedWorkflows: false,
        });
        expect(events).toHaveLength(1);
        expect(events[0]).toMatchObject({
          type: "step_transitioned",
          stepId: task.step.id,
          fromStatus: from,
          toStatus: to,
          fromGate: task.step.gate,
        });
      }
    }
  });

  test("makes no other transition, and the refusal lists exactly the allowed statuses", () => {
    const unlawful = STEP_STATUSES.flatMap((from) =>
      STEP_STATUSES.filter((to) => to !== from && rows.get(from)?.includes(to) !== true).map(
        (to) => [from, to] as const,
      ),
    );
    for (const [from, to] of unlawful) {
      const refusal = expectRefusal(
        givenTask({ kind, status: from }),
        { type: "transition", status: to, runAttachedWorkflows: false },
        "invalid_transition",
      );
      expect(refusal).toMatchObject({ from, to, allowed: rows.get(from) ?? [] });
    }
  });

  test("is refused as already_in_status from every status to itself", () => {
    for (const status of STEP_STATUSES) {
      const refusal = expectRefusal(
        givenTask({ kind, status }),
        { type: "transition", status, runAttachedWorkflows: false },
        "already_in_status",
      );
      expect(refusal.done).toBe(true);
    }
  });
});

test("the stages follow each other in order, ending with delivery", () => {
  expect(STEP_KINDS.map(nextKind)).toEqual([
    "authoring",
    "pre_qa",
    "output_generation",
    "expert_review",
    "calibration",
    "delivery",
    null,
  ]);
});

test("kindsUpTo returns the earlier stages and the stage itself", () => {
  expect(kindsUpTo("ingestion")).toEqual(["ingestion"]);
  expect(kindsUpTo("pre_qa")).toEqual(["ingestion", "authoring", "pre_qa"]);
  expect(kindsUpTo("delivery")).toEqual([...STEP_KINDS]);
});

test("isKindFrom accepts the stage itself and any later one", () => {
  expect(isKindFrom("pre_qa", "pre_qa")).toBe(true);
  expect(isKindFrom("delivery", "pre_qa")).toBe(true);
  expect(isKindFrom("authoring", "pre_qa")).toBe(false);
});

test("a stage has a status if its table has it as a source or as a target", () => {
  expect(kindHasStatus("delivery", "approved")).toBe(true);
  expect(kindHasStatus("delivery", "awaiting_review")).toBe(false);
  expect(kindHasStatus("authoring", "failed")).toBe(false);
  expect(kindHasStatus("expert_review", "running")).toBe(false);
});

test.each([
  ["ingestion", ["queued", "awaiting_review", "approved", "rejected", "duplicate"]],
  ["authoring", ["queued", "awaiting_review", "approved", "rejected", "duplicate"]],
  ["pre_qa", ["queued", "awaiting_review", "approved", "rejected", "duplicate"]],
  ["output_generation", ["queued", "approved", "rejected", "duplicate"]],
  ["expert_review", ["queued", "awaiting_review", "approved", "rejected", "duplicate"]],
  ["calibration", ["queued", "awaiting_review", "approved", "rejected", "duplicate"]],
  ["delivery", ["queued", "approved", "rejected", "duplicate"]],
] as const)("a task can start in %s only as %j", (kind, statuses) => {
  expect(startStatuses(kind)).toEqual(statuses);
});

test.each([
  ["runs", RUN_TRANSITIONS, RUN_TRANSITIONS_TEXT],
  ["dispatches", DISPATCH_TRANSITIONS, DISPATCH_TRANSITIONS_TEXT],
  ["bulk operations", OPERATION_TRANSITIONS, OPERATION_TRANSITIONS_TEXT],
  ["evaluations", EVAL_TRANSITIONS, EVAL_TRANSITIONS_TEXT],
  ["trials", TRIAL_TRANSITIONS, TRIAL_TRANSITIONS_TEXT],
] as const)("the transitions of %s are the expected ones", (_, table, text) => {
  const rows = parseRows(text);
  const states = Object.keys(table);
  expect(Object.entries(table)).toEqual(states.map((state) => [state, rows.get(state) ?? []]));
  expect(states).toEqual(expect.arrayContaining([...rows.keys(), ...[...rows.values()].flat()]));
});

test("a run has ended if no state follows", () => {
  expect(
    (["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"] as const).map(isRunEnded),
  ).toEqual([false, false, true, true, true]);
});
