import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import { lawfulCalls, lawfulMoves } from "../../src/domain/lifecycle/moves.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import { GATE_STATES, STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { explore } from "./support/explore.ts";
import { context, givenTask, expectRefusal } from "./support/world.ts";

const runAttachedWorkflows = false;

describe("from every state that a task can come to", () => {
  const reachable = explore().tasks;

  test.each(["viewer", "operator", "reviewer", "service"] as const)(
    "the moves of a %s are exactly those that decide accepts",
    (role) => {
      const accepts = (task: TaskSnapshot, command: Command): boolean =>
        decide(task, command, context(role)).ok;
      for (const task of reachable) {
        const accepted = {
          transitions: STEP_STATUSES.filter((status) =>
            accepts(task, { type: "transition", status, reason: "r", runAttachedWorkflows }),
          ),
          gates: GATE_STATES.filter((gate) => accepts(task, { type: "gate", gate })),
          advance: accepts(task, { type: "advance", runAttachedWorkflows }),
          reworkKinds: STEP_KINDS.filter((toKind) =>
            accepts(task, { type: "rework", toKind, reason: "r", runAttachedWorkflows }),
          ),
        };
        const { transitions, gates, advance, reworkKinds } = lawfulMoves(task, role);
        const told = {
          transitions: STEP_STATUSES.filter((status) => transitions.includes(status)),
          gates: GATE_STATES.filter((gate) => gates.includes(gate)),
          advance,
          reworkKinds,
        };
        if (JSON.stringify(told) !== JSON.stringify(accepted)) expect(told).toEqual(accepted);
      }
      expect(reachable.length).toBeGreaterThan(1000);
    },
  );
});

describe("the lawful moves", () => {
  test("without a role are those that somebody may make", () => {
    const task = givenTask({ kind: "pre_qa", status: "awaiting_review" });
    expect(lawfulMoves(task)).toEqual({
      transitions: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
      gates: ["waived", "errored"],
      advance: false,
      reworkKinds: ["ingestion", "authoring", "pre_qa"],
    });
  });

  test("of an archived task are none", () => {
    expect(lawfulMoves(givenTask({ archived: true }))).toEqual({
      transitions: [],
      gates: [],
      advance: false,
      reworkKinds: [],
    });
  });
});

describe("a refusal", () => {
  const task = givenTask({ kind: "pre_qa", status: "approved" });
  const toRunning = { type: "transition", status: "running", runAttachedWorkflows } as const;

  test("tells the calls that would be lawful now", () => {
    expect(expectRefusal(task, toRunning, "invalid_transition").next).toEqual([
      { method: "PATCH", path: "/v1/steps/step-1", body: { status: "queued" } },
      { method: "PATCH", path: "/v1/steps/step-1", body: { status: "changes_requested" } },
      { method: "PATCH", path: "/v1/steps/step-1", body: { status: "rejected" } },
      { method: "PATCH", path: "/v1/steps/step-1", body: { status: "duplicate" } },
      { method: "POST", path: "/v1/tasks/task-1/advance", body: {} },
      {
        method: "POST",
        path: "/v1/tasks/task-1/rework",
        body: { toKind: "ingestion" },
        needs: ["reason"],
      },
      {
        method: "POST",
        path: "/v1/tasks/task-1/rework",
        body: { toKind: "authoring" },
        needs: ["reason"],
      },
      {
        method: "POST",
        path: "/v1/tasks/task-1/rework",
        body: { toKind: "pre_qa" },
        needs: ["reason"],
      },
    ]);
  });

  test("tells a caller only what that caller may do", () => {
    const next = expectRefusal(task, toRunning, "invalid_transition", "operator").next ?? [];
    expect(next.map(({ path, body }) => [path, body])).toEqual([
      ["/v1/steps/step-1", { status: "queued" }],
      ["/v1/steps/step-1", { status: "changes_requested" }],
      ["/v1/tasks/task-1/advance", {}],
    ]);
  });

  test("names the gates that a hand may set", () => {
    const waiting = givenTask({ kind: "authoring", status: "awaiting_review" });
    const calls = lawfulCalls(waiting, "reviewer").filter(({ path }) => path.endsWith("/gate"));
    expect(calls).toEqual([
      { method: "PATCH", path: "/v1/steps/step-1/gate", body: { gate: "waived" } },
      { method: "PATCH", path: "/v1/steps/step-1/gate", body: { gate: "errored" } },
    ]);
  });

  test("says where a reason is needed: an approval against a failure that stands", () => {
    const failed = givenTask({ kind: "pre_qa", status: "in_review", reviews: ["failed"] });
    const [approval] = lawfulCalls(failed, "reviewer");
    expect(approval).toEqual({
      method: "PATCH",
      path: "/v1/steps/step-1",
      body: { status: "approved" },
      needs: ["reason"],
    });
  });

  test("of an archived task offers nothing to those who may not restore it", () => {
    expect(lawfulCalls(givenTask({ archived: true }), "operator")).toEqual([]);
  });

  test("of a call that may not be made at all tells nothing of the task", () => {
    expect(expectRefusal(task, toRunning, "forbidden", "viewer")).not.toHaveProperty("next");
  });

  test.each([
    [toRunning, "invalid_transition"],
    [{ type: "gate", gate: "passed" }, "already_in_status"],
    [{ type: "transition", status: "approved", runAttachedWorkflows }, "already_in_status"],
    [{ type: "archive" }, "archived"],
  ] as const)("of %j speaks in a whole sentence", (command, code) => {
    const subject = code === "archived" ? givenTask({ archived: true }) : task;
    const refusal = expectRefusal(
      subject,
      command,
      code === "archived" ? "already_in_status" : code,
    );
    expect(refusal.detail).toMatch(/^[A-Z].*\.$/);
    expect(refusal.detail).not.toContain("undefined");
  });

  test("says in words what is possible", () => {
    expect(expectRefusal(task, toRunning, "invalid_transition").detail).toBe(
      "The pre_qa step cannot go from approved to running. It can go to queued, changes_requested, rejected or duplicate.",
    );
    const delivered = givenTask({ kind: "delivery", status: "approved" });
    expect(expectRefusal(delivered, toRunning, "invalid_transition").detail).toBe(
      "The delivery step cannot go from approved to running. There is no way on.",
    );
  });
});
