import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import { lawfulCommands, lawfulMoves } from "../../src/domain/lifecycle/moves.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import { GATE_STATES, STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { explore } from "./support/explore.ts";
import { context, givenTask, expectRefusal } from "./support/world.ts";

const runAttachedWorkflows = false;

describe("in every reachable state", () => {
  const reachable = explore().tasks;

  test.each(["viewer", "operator", "reviewer", "service"] as const)(
    "lists for a %s exactly the moves that decide accepts",
    (role) => {
      const accepts = (task: TaskSnapshot, command: Command): boolean =>
        decide(task, command, context(role)).ok;
      for (const task of reachable) {
        const accepted = {
          transitions: STEP_STATUSES.filter((status) =>
            accepts(task, { type: "transition", status, reason: "r", runAttachedWorkflows }),
          ),
          gates: GATE_STATES.filter((gate) => accepts(task, { type: "gate", gate, reason: "r" })),
          advance: accepts(task, { type: "advance", runAttachedWorkflows }),
          reworkKinds: STEP_KINDS.filter((toKind) =>
            accepts(task, { type: "rework", toKind, reason: "r", runAttachedWorkflows }),
          ),
        };
        const { transitions, gates, advance, reworkKinds } = lawfulMoves(task, role);
        const listed = {
          transitions: STEP_STATUSES.filter((status) => transitions.includes(status)),
          gates: GATE_STATES.filter((gate) => gates.includes(gate)),
          advance,
          reworkKinds,
        };
        if (JSON.stringify(listed) !== JSON.stringify(accepted)) expect(listed).toEqual(accepted);
      }
      expect(reachable.length).toBeGreaterThan(1000);
    },
  );
});

describe("the lawful moves", () => {
  test("without a role are those that at least one role can make", () => {
    const task = givenTask({ kind: "pre_qa", status: "awaiting_review" });
    expect(lawfulMoves(task)).toEqual({
      transitions: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
      gates: ["waived", "blocked", "errored"],
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

  test("names the commands that would be lawful now", () => {
    expect(expectRefusal(task, toRunning, "invalid_transition").next).toEqual({
      taskId: "task-1",
      stepId: "step-1",
      commands: [
        { type: "transition", status: "queued", needsReason: false },
        { type: "transition", status: "changes_requested", needsReason: false },
        { type: "transition", status: "rejected", needsReason: true },
        { type: "transition", status: "duplicate", needsReason: true },
        { type: "gate", gate: "blocked", needsReason: true },
        { type: "advance" },
        { type: "rework", toKind: "ingestion", needsReason: true },
        { type: "rework", toKind: "authoring", needsReason: true },
        { type: "rework", toKind: "pre_qa", needsReason: true },
      ],
    });
  });

  test("names only the commands that the caller's role permits", () => {
    const next = expectRefusal(task, toRunning, "invalid_transition", "operator").next;
    expect(next?.commands).toEqual([
      { type: "transition", status: "queued", needsReason: false },
      { type: "transition", status: "changes_requested", needsReason: false },
      { type: "gate", gate: "blocked", needsReason: true },
      { type: "advance" },
    ]);
  });

  test("names the gates that can be set by hand", () => {
    const reviewable = givenTask({ kind: "authoring", status: "awaiting_review" });
    const { commands } = lawfulCommands(reviewable, "reviewer");
    expect(commands.filter(({ type }) => type === "gate")).toEqual([
      { type: "gate", gate: "waived", needsReason: true },
      { type: "gate", gate: "blocked", needsReason: true },
      { type: "gate", gate: "errored", needsReason: false },
    ]);
  });

  test("asks for a reason if an approval contradicts a standing failure", () => {
    const failed = givenTask({ kind: "pre_qa", status: "in_review", reviews: ["failed"] });
    const [approval] = lawfulCommands(failed, "reviewer").commands;
    expect(approval).toEqual({ type: "transition", status: "approved", needsReason: true });
  });

  test("of an archived task names restore", () => {
    expect(lawfulCommands(givenTask({ archived: true }), "reviewer").commands).toEqual([
      { type: "restore" },
    ]);
  });

  test("of an archived task names no command if the role may not restore it", () => {
    expect(lawfulCommands(givenTask({ archived: true }), "operator").commands).toEqual([]);
  });

  test("that forbids the call discloses nothing about the task", () => {
    expect(expectRefusal(task, toRunning, "forbidden", "viewer")).not.toHaveProperty("next");
  });

  test.each([
    [toRunning, "invalid_transition"],
    [{ type: "gate", gate: "passed" }, "already_in_status"],
    [{ type: "transition", status: "approved", runAttachedWorkflows }, "already_in_status"],
    [{ type: "archive" }, "archived"],
  ] as const)("of %j has a whole sentence as its detail", (command, code) => {
    const subject = code === "archived" ? givenTask({ archived: true }) : task;
    const refusal = expectRefusal(
      subject,
      command,
      code === "archived" ? "already_in_status" : code,
    );
    expect(refusal.detail).toMatch(/^[A-Z].*\.$/);
    expect(refusal.detail).not.toContain("undefined");
  });

  test("states the allowed statuses in its detail", () => {
    expect(expectRefusal(task, toRunning, "invalid_transition").detail).toBe(
      "The pre_qa step cannot go from approved to running. It can go to queued, changes_requested, rejected or duplicate.",
    );
    const delivered = givenTask({ kind: "delivery", status: "approved" });
    expect(expectRefusal(delivered, toRunning, "invalid_transition").detail).toBe(
      "The delivery step cannot go from approved to running. Nothing can follow approved.",
    );
  });
});
