import { describe, expect, test } from "vitest";
import { fold } from "../../../src/domain/lifecycle/fold.ts";
import { batchesOf } from "../../../src/domain/seed/batches.ts";
import type { SeedOutcome } from "../../../src/domain/seed/mix.ts";
import type { PlannedAction, TeamPlan } from "../../../src/domain/seed/plan.ts";
import { factsOf, resolve } from "../../../src/domain/status/resolve.ts";
import type { UnifiedStatus } from "../../../src/domain/status/unified.ts";
import { givenPlan } from "./support/given-plan.ts";
import { Replay } from "./support/replay.ts";

const SEEDS = process.env["SEED"] === undefined ? [1, 2, 3] : [Number(process.env["SEED"])];

const OUTCOME_OF: Partial<Record<UnifiedStatus, SeedOutcome>> = {
  DELIVERED: "delivered",
  PASSED: "approved",
  REJECTED: "rejected",
  DUPLICATE: "duplicate",
};

function replayed(plan: TeamPlan, actions: readonly PlannedAction[]): Replay {
  const replay = new Replay(plan);
  for (const action of actions) replay.act(action);
  return replay;
}

describe.each(SEEDS)("a team's plan with the seed %d", (seed) => {
  const plan = givenPlan({ seed });
  const replay = replayed(plan, plan.actions);

  test("has only actions that are lawful when they happen, with a history that folds to the same state", () => {
    expect(replay.tasks.size).toBe(plan.outcomes.length);
    for (const { snapshot, events } of replay.tasks.values()) {
      const { alreadyDispatched: _, namedBy: __, openRuns, ...state } = snapshot;
      const { sealedSteps: ___, openRuns: folded, ...rest } = fold(events);
      expect(rest).toEqual(state);
      const running = openRuns.filter(
        ({ state: of, type }) => of === "RUNNING" && type !== "POST_QA_SCORING",
      );
      expect(folded).toEqual(running);
    }
  });

  test("gives each task the label of its outcome", () => {
    for (const [task, outcome] of plan.outcomes.entries()) {
      const label = resolve(factsOf(replay.told(task).snapshot));
      expect(OUTCOME_OF[label] ?? "in_progress", `task ${task}: ${label}`).toBe(outcome);
    }
  });

  test("leads to the same states if it is carried out in batches, each with one actor and each task once", () => {
    const batches = batchesOf(plan.actions);
    for (const { actor, actions } of batches) {
      const tasks = actions.flatMap((action) => action.tasks);
      expect(new Set(tasks).size).toBe(tasks.length);
      expect(actions.every((action) => action.actor === actor)).toBe(true);
    }
    const again = replayed(
      plan,
      batches.flatMap(({ actions }) => actions),
    );
    for (const task of plan.outcomes.keys()) {
      const [one, other] = [replay.told(task), again.told(task)];
      expect(other.events.map(({ type, toStatus, at }) => [type, toStatus, at])).toEqual(
        one.events.map(({ type, toStatus, at }) => [type, toStatus, at]),
      );
    }
    expect(again.evals.histories.size).toBe(replay.evals.histories.size);
  });

  test("lets a report wait for the end of a hold, and a check disagree with an approval", () => {
    expect(replay.keptAside.get("deferred")).toBeGreaterThan(0);
    expect(replay.keptAside.get("move_refused")).toBeGreaterThan(0);
    expect(replay.keptAside.get("run_ended")).toBeUndefined();
    expect(replay.keptAside.get("step_left")).toBeUndefined();
  });
});
