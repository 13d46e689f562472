import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { judge } from "../../src/domain/bulk/judge.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import { decideRevert } from "../../src/domain/bulk/revert.ts";
import { GATE_ON_STATUS } from "../../src/domain/lifecycle/gates.ts";
import { STAGE_PIPELINES } from "../../src/domain/lifecycle/idle.ts";
import { lawfulMoves } from "../../src/domain/lifecycle/moves.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import {
  GATE_STATES,
  STEP_KINDS,
  STEP_STATUSES,
  type StepStatus,
} from "../../src/domain/lifecycle/statuses.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { factsOf } from "../../src/domain/status/resolve.ts";
import { context, expectAccepted, expectDecision, givenTask, minute } from "./support/world.ts";

const mark = (task: TaskSnapshot) => {
  const outcome = decide(task, { type: "idle" }, context("service"));
  return outcome.ok ? outcome.value.events : [];
};
const STAGES = STAGE_PIPELINES.map(({ kind }) => kind);
const idleTask = (kind = STAGES[0]) =>
  givenTask({ ...(kind && { kind }), status: "running", idledSeq: 7 });
const moveTo = (status: StepStatus) =>
  ({
    type: "transition",
    status,
    reason: "Nobody works on it",
    runAttachedWorkflows: true,
  }) as const;

test("the stages whose steps can be idle are those that a pipeline works on, as the database has them", () => {
  expect(STAGE_PIPELINES).toEqual([
    { kind: "pre_qa", pipeline: "quality_automation" },
    { kind: "output_generation", pipeline: "output_generation" },
    { kind: "calibration", pipeline: "post_qa_scoring" },
  ]);
  const path = new URL("../../drizzle/functions/idle_steps.sql", import.meta.url);
  const text = readFileSync(path, "utf8").replaceAll(/\s+/g, " ");
  const cases = STAGE_PIPELINES.map(({ kind, pipeline }) => `when '${kind}' then '${pipeline}'`);
  expect(text).toContain(`case s.kind ${cases.join(" ")} end`);
});

describe("a step is marked as idle", () => {
  test("only if it runs in such a stage, and no one holds it: every stage, status and gate", () => {
    for (const kind of STEP_KINDS) {
      for (const status of STEP_STATUSES) {
        for (const gate of GATE_STATES) {
          const isIdle = STAGES.includes(kind) && status === "running" && gate !== "blocked";
          const events = mark(givenTask({ kind, status, gate }));
          const expected = isIdle
            ? [{ type: "step_idled", fromStatus: status, toStatus: status, toGate: gate }]
            : [];
          expect(events).toHaveLength(expected.length);
          expect(events).toMatchObject(expected);
        }
      }
    }
  });

  test("never while a run is open, twice, or while the task is archived", () => {
    const running = { kind: "calibration", status: "running" } as const;
    expect(mark(givenTask({ ...running, queuedRuns: ["POST_QA_SCORING"] }))).toEqual([]);
    expect(mark(givenTask({ ...running, running: ["PAYMENT"] }))).toEqual([]);
    expect(mark(givenTask({ ...running, idledSeq: 5 }))).toEqual([]);
    expect(mark(givenTask({ ...running, archived: true }))).toEqual([]);
  });

  test("and then asks for attention until its status or a run changes", () => {
    const task = givenTask({ kind: "pre_qa", status: "running" });
    const decided = expectAccepted(decide(task, { type: "idle" }, context("service")));
    const idle = apply(task, decided, minute(2));
    expect(attentionOf(factsOf(idle))).toEqual(["idle"]);
    expect(idle.step).toEqual({ ...task.step, idledSeq: task.eventSeq + 1 });
    const after = (command: Parameters<typeof expectDecision>[1], role = "admin" as const) =>
      attentionOf(factsOf(apply(idle, expectDecision(idle, command, role), minute(3))));
    expect(after({ type: "note", text: "I am looking" })).toEqual(["idle"]);
    expect(after({ type: "edit", changes: { title: "Another" } })).toEqual(["idle"]);
    expect(after({ type: "gate", gate: "waived", reason: "Urgent" })).toContain("idle");
    expect(after(moveTo("failed"))).toEqual(["errored"]);
    expect(
      after({ type: "rework", toKind: "pre_qa", reason: "Again", runAttachedWorkflows: true }),
    ).toEqual([]);
  });
});

describe("a retry of an idle step", () => {
  test.each(STAGES)("leads through failed to queued, and requests the pipeline: %s", (kind) => {
    const task = idleTask(kind);
    const { events, dispatches } = expectDecision(task, moveTo("queued"), "operator");
    expect(
      events.map(({ fromStatus, toStatus, toGate }) => [fromStatus, toStatus, toGate]),
    ).toEqual([
      ["running", "failed", "errored"],
      ["failed", "queued", "locked"],
    ]);
    for (const { reason } of events) expect(reason).toBe("Nobody works on it");
    const stage = STAGE_PIPELINES.find((one) => one.kind === kind);
    expect(dispatches).toMatchObject([{ pipeline: stage?.pipeline }]);
    expect(lawfulMoves(task).transitions).toContain("queued");
    expect(lawfulMoves(givenTask({ kind, status: "running" })).transitions).not.toContain("queued");
  });

  test.each(STAGES)("is lawful in bulk, and its revert leaves the step failed: %s", (kind) => {
    const task = idleTask(kind);
    const terms = { reason: "Again", duplicateOf: null, runAttachedWorkflows: true };
    const judged = judge(task, { action: "retry" }, terms, context().newId);
    if (!judged.ok) expect.fail(judged.code);
    expect(judged.change.events.map(({ toStatus }) => toStatus)).toEqual(["failed", "queued"]);
    const retried = apply(task, judged.change, minute(2));
    const last = judged.change.events.at(-1);
    const reverted = decideRevert(retried, {
      operation: { id: "operation-1", action: "retry" },
      event: {
        seq: retried.eventSeq,
        type: "step_transitioned",
        fromStatus: last?.fromStatus ?? "queued",
        fromGate: last?.fromGate ?? "locked",
        payload: {},
        namedBefore: null,
        review: null,
      },
      reason: "A mistake",
    });
    expect(reverted?.change.events).toMatchObject([{ toStatus: "failed", toGate: "errored" }]);
    const running = givenTask({ kind, status: "running" });
    expect(judge(running, { action: "retry" }, terms, context().newId)).toMatchObject({
      ok: false,
    });
  });
});

describe("run_pipelines on an idle step", () => {
  const terms = { reason: "Again", duplicateOf: null, runAttachedWorkflows: true };
  const run = (task: TaskSnapshot) =>
    judge(task, { action: "run_pipelines" }, terms, context().newId);

  test.each(STAGE_PIPELINES)(
    "dispatches the pipeline of the stage: $kind",
    ({ kind, pipeline }) => {
      expect(run(idleTask(kind))).toMatchObject({
        ok: true,
        change: { events: [], dispatches: [{ pipeline, stepId: "step-1" }] },
      });
      expect(run(givenTask({ kind, status: "running" }))).toEqual({
        ok: false,
        code: "no_pipeline",
      });
    },
  );

  test("dispatches nothing if that was done already, or if a run was opened since", () => {
    const task = { kind: "output_generation", status: "running", idledSeq: 7 } as const;
    expect(run(givenTask({ ...task, alreadyDispatched: ["output_generation"] }))).toMatchObject({
      code: "already_dispatched",
    });
    expect(run(givenTask({ ...task, queuedRuns: ["OUTPUT_GENERATION"] }))).toMatchObject({
      code: "already_dispatched",
    });
    expect(run(givenTask({ ...task, queuedRuns: ["PAYMENT"] }))).toMatchObject({ ok: true });
  });
});

test("a blocked step that is idle keeps its block through a retry only as the tables say", () => {
  const held = givenTask({ kind: "pre_qa", status: "running", gate: "blocked", idledSeq: 7 });
  const { events } = expectDecision(held, moveTo("queued"), "operator");
  expect(events.map(({ toStatus }) => toStatus)).toEqual(["failed", "queued"]);
  expect(GATE_ON_STATUS.queued).toBe("locked");
});
