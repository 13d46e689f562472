import { describe, expect, test } from "vitest";
import {
  SEED_DAYS_DEFAULT,
  SEED_DAYS_MAX,
  SEED_DAYS_MIN,
  TEAM_TASKS_MAX,
  teamsOf,
} from "../../../src/domain/seed/settings.ts";
import { givenPlan } from "./support/given-plan.ts";

describe("the teams of a run", () => {
  test.each([0, 1, 999, 1000, 1001, 2500, 10_000])("have all %d tasks, in equal parts", (tasks) => {
    const teams = teamsOf({ tasks });
    const sizes = teams.map((team) => team.tasks);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(tasks);
    expect(teams.map(({ index }) => index)).toEqual([...teams.keys()]);
    expect(teams).toHaveLength(Math.ceil(tasks / TEAM_TASKS_MAX));
    expect(Math.max(0, ...sizes) - Math.min(...sizes, Infinity)).toBeLessThanOrEqual(1);
  });

  test("share no one until all names are used, and then repeat names with a number", () => {
    const teams = Array.from({ length: 6 }, (_, team) => givenPlan({ seed: 4, tasks: 5, team }));
    const names = teams.flatMap(({ people }) => people.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    const emails = teams.flatMap(({ people }) => people.map(({ email }) => email));
    expect(new Set(emails).size).toBe(emails.length);
    expect(emails.every((email) => email.endsWith("@example.com"))).toBe(true);
  });
});

describe("a story", () => {
  test.each([
    { days: SEED_DAYS_MIN, tasks: TEAM_TASKS_MAX },
    { days: SEED_DAYS_MIN, tasks: 1 },
    { days: SEED_DAYS_DEFAULT, tasks: 0 },
    { days: SEED_DAYS_MAX, tasks: 20 },
  ])("of $days days has room for $tasks tasks", ({ days, tasks }) => {
    const plan = givenPlan({ seed: 9, tasks, days });
    expect(plan.outcomes).toHaveLength(tasks);
    const created = plan.actions.filter(({ act }) => act.type === "create");
    expect(created.flatMap((action) => action.tasks)).toEqual([...plan.outcomes.keys()]);
  });

  test.each(["delivered", "approved", "rejected", "duplicate", "in_progress"])(
    "can consist of tasks that are %s",
    (outcome) => {
      const { outcomes } = givenPlan({ seed: 2, tasks: 60, mix: { outcomes: { [outcome]: 1 } } });
      expect(new Set(outcomes)).toEqual(new Set([outcome]));
    },
  );
});
