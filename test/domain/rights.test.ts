import { describe, expect, test } from "vitest";
import { type Role, ROLES } from "../../src/domain/actor.ts";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import type { StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { isPermitted, requiredRole, type Right, RIGHTS } from "../../src/domain/rights.ts";
import { minimumRole } from "../../src/domain/lifecycle/right-for.ts";
import { resolve } from "../../src/domain/status/resolve.ts";
import { isTerminal } from "../../src/domain/status/unified.ts";
import { EVERY_FACTS } from "./support/facts.ts";
import { expectDecision, givenTask, expectRefusal, NOT_OFFERED } from "./support/world.ts";

/** The roles that hold each right, by their initials: viewer, operator, reviewer, admin, service. */
const ROLES_BY_RIGHT_TEXT = `
read: v o r a s
lookup: v o r a s
preview: v o r a s
create: o r a
import: o r a
edit: o r a
note: o r a
recordPrompt: o r a s
recordData: o r a s
recordEval: o r a s
recordTrial: o r a s
transition: o r a
advance: o r a s
reworkUnfinished: o r a
newVersion: o r a
block: o r a
markErrored: o r a
dispatch: o r a
review: r a
reviewByAutomation: r a s
judgeExpertReview: r a
approveAgainstFailure: r a
rejectOrMarkDuplicate: r a
waive: r a
revoke: r a
reworkEnded: r a
newVersionOfFinished: r a
start: r a
bulk: r a
archiveAndRestore: r a
administer: a
reportRun: a s
recordInsight: a s
`;

const rows = ROLES_BY_RIGHT_TEXT.trim()
  .split("\n")
  .map((line) => line.split(": "));

const names = Object.keys(RIGHTS) as Right[];

const move = (status: StepStatus): Command => ({
  type: "transition",
  status,
  reason: "because",
  runAttachedWorkflows: false,
});

describe("the table of rights", () => {
  test("gives each right to the expected roles", () => {
    const table = names.map((right) => [
      right,
      ROLES.filter((role) => isPermitted(role, right))
        .map((role) => role.charAt(0))
        .join(" "),
    ]);
    expect(table).toEqual(rows);
  });

  test("gives each role of people every right of the role below it", () => {
    for (const right of names) {
      for (const [lesser, greater] of [
        ["viewer", "operator"],
        ["operator", "reviewer"],
        ["reviewer", "admin"],
      ] as const) {
        expect(isPermitted(greater, right) || !isPermitted(lesser, right), right).toBe(true);
      }
    }
  });

  test("names a required role that holds the right", () => {
    for (const right of names) expect(isPermitted(requiredRole(right), right), right).toBe(true);
  });
});

describe("the minimum role without the task", () => {
  test.each([
    [move("running"), "operator"],
    [move("approved"), "operator"],
    [move("rejected"), "reviewer"],
    [move("duplicate"), "reviewer"],
    [{ type: "gate", gate: "blocked" }, "operator"],
    [{ type: "gate", gate: "locked" }, "operator"],
    [{ type: "gate", gate: "errored" }, "operator"],
    // The gate may be the one that ends a hold.
    [{ type: "gate", gate: "waived" }, "operator"],
    [{ type: "gate", gate: "revoked" }, "operator"],
    [{ type: "advance", runAttachedWorkflows: false }, "operator"],
    [{ type: "rework", toKind: "pre_qa", reason: "r", runAttachedWorkflows: false }, "operator"],
    [
      {
        type: "version",
        content: {},
        contentHash: "",
        reason: "new brief",
        runAttachedWorkflows: false,
      },
      "operator",
    ],
    [{ type: "review", kind: "expert", outcome: "passed" }, "reviewer"],
    [{ type: "review", kind: "automated", outcome: "passed" }, "reviewer"],
    [
      {
        type: "report",
        run: { id: "r", type: "PAYMENT", state: "QUEUED", stepId: "s", ...NOT_OFFERED },
        state: "RUNNING",
      },
      "admin",
    ],
    [{ type: "edit", changes: {} }, "operator"],
    [{ type: "archive" }, "reviewer"],
    [{ type: "restore" }, "reviewer"],
    [{ type: "note", text: "n" }, "operator"],
  ] as const satisfies readonly (readonly [Command, Role])[])("of %j is %s", (command, role) => {
    expect(minimumRole(command)).toBe(role);
  });
});

describe("the minimum role with the task", () => {
  const expertReview = givenTask({ kind: "expert_review", status: "in_review" });

  test("of a verdict in the expert review is reviewer", () => {
    for (const status of ["approved", "changes_requested"] as const) {
      expect(minimumRole(move(status), expertReview)).toBe("reviewer");
      expect(expectRefusal(expertReview, move(status), "forbidden", "operator").required).toBe(
        "reviewer",
      );
    }
    expect(expectDecision(expertReview, move("paused"), "operator").events).toHaveLength(1);
  });

  test("of the same statuses in other stages is operator", () => {
    const authoring = givenTask({ kind: "authoring", status: "in_review" });
    for (const status of ["approved", "changes_requested"] as const) {
      expect(expectDecision(authoring, move(status), "operator").events).toHaveLength(1);
    }
  });

  test("of a new version is reviewer if the task's label is terminal, and operator otherwise", () => {
    const version = {
      type: "version",
      content: {},
      contentHash: "",
      reason: "new brief",
      runAttachedWorkflows: false,
    } as const;
    for (const facts of EVERY_FACTS) {
      const { kind, status, gate, reviewFailed, runningWorkers: running } = facts;
      const reviews = reviewFailed ? (["failed"] as const) : [];
      const task = givenTask({ kind, status, gate, reviews, running });
      const required = isTerminal(resolve(facts)) ? "reviewer" : "operator";
      if (minimumRole(version, task) !== required) expect(facts).toBeNull();
    }
    const finished = givenTask({ kind: "delivery", status: "approved" });
    expect(expectRefusal(finished, version, "forbidden", "operator").required).toBe("reviewer");
    expect(expectDecision(finished, version, "reviewer").version?.number).toBe(2);
    expect(expectDecision(expertReview, version, "operator").version?.number).toBe(2);
  });

  test("is never below the one without the task", () => {
    const ranks: readonly Role[] = ["viewer", "operator", "reviewer", "admin", "service"];
    for (const status of ["approved", "changes_requested", "rejected", "running"] as const) {
      expect(ranks.indexOf(minimumRole(move(status), expertReview))).toBeGreaterThanOrEqual(
        ranks.indexOf(minimumRole(move(status))),
      );
    }
  });
});

describe.each(ROLES)("a call by %s", (role) => {
  const task: TaskSnapshot = givenTask({ kind: "pre_qa", status: "approved" });
  const commands: readonly Command[] = [
    move("queued"),
    move("rejected"),
    { type: "gate", gate: "waived" },
    { type: "advance", runAttachedWorkflows: false },
    { type: "rework", toKind: "pre_qa", reason: "r", runAttachedWorkflows: false },
    { type: "review", kind: "expert", outcome: "passed" },
    { type: "review", kind: "automated", outcome: "passed" },
    { type: "edit", changes: { priority: 3 } },
    { type: "archive" },
    { type: "note", text: "n" },
  ];

  test.each(commands)("of %j is forbidden exactly if the role is too low", (command) => {
    const required = minimumRole(command, task);
    const isService = role === "service";
    const isAllowedToService =
      command.type === "advance" || (command.type === "review" && command.kind === "automated");
    const people: readonly Role[] = ["viewer", "operator", "reviewer", "admin"];
    const isAllowed = isService
      ? isAllowedToService
      : people.indexOf(role) >= people.indexOf(required);
    if (!isAllowed) {
      expect(expectRefusal(task, command, "forbidden", role).required).toBe(required);
    } else if (command.type === "gate") {
      expectRefusal(task, command, "invalid_transition", role);
    } else {
      expect(expectDecision(task, command, role).events.length).toBeGreaterThan(0);
    }
  });
});

test("a caller without the right learns nothing else about the task", () => {
  const archived = givenTask({ archived: true });
  expectRefusal(archived, move("rejected"), "forbidden", "operator");
});
