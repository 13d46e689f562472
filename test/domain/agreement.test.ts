import { describe, expect, test } from "vitest";
import type { BulkIntent } from "../../src/domain/bulk/intent.ts";
import { judge } from "../../src/domain/bulk/judge.ts";
import { BULK_STEP_STATUS, BULK_TARGETS } from "../../src/domain/bulk/matrix.ts";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { ROLES } from "../../src/domain/actor.ts";
import { closedCommands } from "../../src/domain/lifecycle/closed.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import { lawfulCommands } from "../../src/domain/lifecycle/moves.ts";
import { kindHasStatus } from "../../src/domain/lifecycle/transitions.ts";
import type { LawfulCommand } from "../../src/domain/refusals.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import { GATE_STATES, STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { explore } from "./support/explore.ts";
import { actor, context } from "./support/world.ts";

const runAttachedWorkflows = false;
const reason = "because";
const { tasks } = explore();

const isAccepted = (task: TaskSnapshot, command: Command): boolean =>
  decide(task, command, context("reviewer")).ok;

const isEligible = (task: TaskSnapshot, intent: BulkIntent): boolean =>
  judge(task, intent, { reason, duplicateOf: null, runAttachedWorkflows }, () => "new").ok;

/** Expects a fact of every reachable task, and names the first one without it. */
function expectOfEach(holds: (task: TaskSnapshot) => boolean): void {
  expect(tasks.length).toBeGreaterThan(1000);
  const wrong = tasks.find((task) => !holds(task));
  expect(wrong && { step: wrong.step, reviews: wrong.reviews }).toBeUndefined();
}

describe("in every reachable state, what a task shows and what it accepts agree:", () => {
  const advance: Command = { type: "advance", runAttachedWorkflows };
  const offersAdvance = (task: TaskSnapshot) =>
    lawfulCommands(task, "reviewer").commands.some(({ type }) => type === "advance");

  test("it is ready exactly if it can advance, alone and in bulk, and a refusal offers that", () => {
    expectOfEach((task) => {
      const isReady = attentionOf(factsOf(task)).includes("ready");
      return [
        isAccepted(task, advance),
        isEligible(task, { action: "advance" }),
        offersAdvance(task),
      ].every((can) => can === isReady);
    });
  });

  test("each command of its stage is either open or closed, and the role that is missing would open it", () => {
    const nameOf = (command: LawfulCommand) => JSON.stringify({ ...command, needsReason: null });
    expectOfEach((task) => {
      const { kind, status } = task.step;
      const transitions = STEP_STATUSES.filter((to) => to !== status && kindHasStatus(kind, to));
      const byRole = new Map(ROLES.map((role) => [role, closedCommands(task, actor(role))]));
      const forbiddenTo = new Map(
        ROLES.map((role) => [
          role,
          new Set(
            byRole
              .get(role)
              ?.filter(({ refusal }) => refusal.code === "forbidden")
              .map(({ command }) => nameOf(command)),
          ),
        ]),
      );
      return ROLES.every((role) => {
        const closed = byRole.get(role) ?? [];
        const names = new Set([
          ...lawfulCommands(task, role).commands.map(nameOf),
          ...closed.map(({ command }) => nameOf(command)),
        ]);
        return (
          names.size === lawfulCommands(task, role).commands.length + closed.length &&
          transitions.every((to) =>
            names.has(nameOf({ type: "transition", status: to, needsReason: false })),
          ) &&
          closed.every(
            ({ command, refusal }) =>
              refusal.code !== "forbidden" ||
              forbiddenTo.get(refusal.required)?.has(nameOf(command)) === false,
          )
        );
      });
    });
  });

  test("it is not ready while its label says that its check failed", () => {
    expectOfEach(
      (task) =>
        resolve(factsOf(task)) !== "QUALITY_CHECK_FAILED" ||
        !attentionOf(factsOf(task)).includes("ready"),
    );
  });

  test("a refusal asks for a reason exactly where the command is refused without one", () => {
    expectOfEach((task) =>
      lawfulCommands(task, "reviewer").commands.every((command) => {
        if (command.type !== "transition" && command.type !== "gate") return true;
        const { needsReason } = command;
        const given = (why?: string): Command[] =>
          command.type === "gate"
            ? GATE_STATES.filter((gate) => gate === command.gate).map((gate) => ({
                type: "gate",
                gate,
                reason: why,
              }))
            : STEP_STATUSES.filter((status) => status === command.status).map((status) => ({
                type: "transition",
                status,
                reason: why,
                runAttachedWorkflows,
              }));
        return (
          given(reason).every((one) => isAccepted(task, one)) &&
          given().every((one) => isAccepted(task, one) !== needsReason)
        );
      }),
    );
  });

  test.each(BULK_TARGETS)("a bulk change to %s takes it only if the single call does", (target) => {
    const status = BULK_STEP_STATUS[target];
    expectOfEach(
      (task) =>
        !isEligible(task, { targetStatus: target }) ||
        isAccepted(task, { type: "transition", status, reason, runAttachedWorkflows }),
    );
  });

  test("a bulk archive, restore or rework takes it exactly if the single call does", () => {
    expectOfEach((given) =>
      [given, { ...given, archivedAt: "2026-01-01T00:00:00.000Z" }].every((task) => {
        const isSame = (intent: BulkIntent, command: Command) =>
          isEligible(task, intent) === isAccepted(task, command);
        return (
          isSame({ action: "archive" }, { type: "archive" }) &&
          isSame({ action: "restore" }, { type: "restore" }) &&
          STEP_KINDS.every((toKind) =>
            isSame(
              { action: "rework", toKind },
              { type: "rework", toKind, reason, runAttachedWorkflows },
            ),
          )
        );
      }),
    );
  });
});
