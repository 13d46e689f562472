import { describe, expect, test } from "vitest";
import type { DataKind } from "../../../src/domain/data/kinds.ts";
import type { StepKind } from "../../../src/domain/lifecycle/statuses.ts";
import { SEED_OUTCOMES, seedMix } from "../../../src/domain/seed/mix.ts";
import type { PlannedAct, PlannedAction, TeamPlan } from "../../../src/domain/seed/plan.ts";
import { quotasOf } from "../../../src/domain/seed/quota.ts";
import { SEED_STAGES } from "../../../src/domain/seed/stages.ts";
import { ANCHOR, givenPlan } from "./support/given-plan.ts";

const SEEDS = process.env["SEED"] === undefined ? [1, 2, 3, 4] : [Number(process.env["SEED"])];
const DAYS = 91;

type ActOf<Type extends PlannedAct["type"]> = Extract<PlannedAct, { type: Type }>;

/** Returns the actions of one type, with the act narrowed to it. */
function ofType<Type extends PlannedAct["type"]>({ actions }: TeamPlan, type: Type) {
  return actions.filter(
    (action): action is PlannedAction & { act: ActOf<Type> } => action.act.type === type,
  );
}

const STAGE_OF_DATA: Record<DataKind, StepKind> = {
  source: "ingestion",
  golden: "authoring",
  generated: "output_generation",
  calibrated: "calibration",
  delivery: "delivery",
};

const tasksOf = (actions: readonly PlannedAction[]): Set<number> =>
  new Set(actions.flatMap(({ tasks }) => tasks));

test("the same seed gives the same plan, byte for byte, and another seed another", () => {
  const text = (seed: number, team = 0) => JSON.stringify(givenPlan({ seed, tasks: 60, team }));
  expect(text(5)).toBe(text(5));
  expect(text(6)).not.toBe(text(5));
  expect(text(5, 1)).not.toBe(text(5));
});

describe.each(SEEDS)("a team's plan with the seed %d", (seed) => {
  const plan = givenPlan({ seed, days: DAYS });
  const { actions, people, outcomes } = plan;

  test("has exactly the shares of outcomes that were asked for", () => {
    const quotas = quotasOf(seedMix.parse({}).outcomes, outcomes.length);
    for (const outcome of SEED_OUTCOMES) {
      expect(outcomes.filter((one) => one === outcome)).toHaveLength(quotas[outcome]);
    }
  });

  test("is in order, within its days, in whole seconds, and the times of each task rise strictly", () => {
    const last = new Map<number, string>();
    const first = new Date(Date.parse(ANCHOR) - DAYS * 86_400_000).toISOString();
    let before = first;
    for (const { at, tasks } of actions) {
      expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(at >= before.slice(0, at.length) && at <= ANCHOR).toBe(true);
      before = at;
      for (const task of tasks) {
        expect(at > (last.get(task) ?? ""), `task ${task} at ${at}`).toBe(true);
        last.set(task, at);
      }
    }
  });

  test("lets people act only in their office hours", () => {
    for (const { key, hours } of people) {
      const clock = new Intl.DateTimeFormat("en-GB", {
        timeZone: hours.zone,
        weekday: "short",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
      });
      const weekdays = hours.days.map(
        (day) => ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][day],
      );
      for (const { at } of actions.filter(({ actor }) => actor === key)) {
        const shown = clock.formatToParts(Date.parse(at));
        const part = (type: string) => shown.find((one) => one.type === type)?.value ?? "";
        const minute = Number(part("hour")) * 60 + Number(part("minute"));
        expect(weekdays, `${key} at ${at}`).toContain(part("weekday"));
        expect(minute >= hours.from && minute < hours.to, `${key} at ${at}`).toBe(true);
      }
    }
    expect(new Set(people.map(({ hours }) => hours.zone)).size).toBe(4);
  });

  test("lets no reviewer review their own work, or two tasks at once", () => {
    const authors = new Map(ofType(plan, "create").map(({ actor, tasks }) => [tasks[0], actor]));
    for (const { key } of people.filter(({ duty }) => duty === "reviewer")) {
      const own = actions.filter(({ actor }) => actor === key);
      expect(own.length).toBeGreaterThan(0);
      const ended = new Set<number>();
      let current: number | null = null;
      let isOver = true;
      for (const { tasks, act } of own) {
        const [task = -1] = tasks;
        expect(authors.get(task)).not.toBe(key);
        if (task !== current) {
          expect(isOver, `${key} takes task ${task} during task ${current}`).toBe(true);
          current = task;
        }
        const isLeft =
          act.type === "move" &&
          act.command.type === "transition" &&
          act.command.status !== "in_review";
        isOver = act.type === "review" || isLeft;
        if (isOver) ended.add(task);
      }
      expect(ended.size).toBeGreaterThan(0);
    }
  });

  test("takes only tasks from the queue of reviews that wait in it", () => {
    const waiting = new Set<number>();
    let longest = 0;
    for (const { tasks, act } of actions) {
      const [task = -1] = tasks;
      if (act.type !== "move") continue;
      const { command } = act;
      if (command.type === "transition" && command.status === "in_review") {
        expect(waiting.delete(task), `task ${task}`).toBe(true);
      } else if (command.type === "advance" || command.type === "rework") waiting.add(task);
      else if (command.type === "transition" && command.status === "awaiting_review")
        waiting.add(task);
      longest = Math.max(longest, waiting.size);
    }
    expect(longest).toBeGreaterThan(0);
  });

  test("declares stubs under the prefix of a stage, within its limits, made from earlier data of the task", () => {
    const known = new Map<string, number>();
    const data = ofType(plan, "data");
    for (const { tasks, act } of data) {
      const stage = SEED_STAGES.find(({ prefix }) => act.path.startsWith(prefix));
      expect(stage?.contentTypes).toContain(act.contentType);
      expect(act.sizeBytes).toBeLessThanOrEqual(stage?.bytesMax ?? 0);
      for (const input of act.inputs) expect(known.get(input)).toBe(tasks[0]);
      known.set(act.data, tasks[0] ?? -1);
    }
    expect(new Set(data.map(({ act }) => act.path)).size).toBe(data.length);
    for (const { act } of data) expect(act.path).toContain(`demo/${STAGE_OF_DATA[act.kind]}/`);
    expect(new Set(data.map(({ act }) => act.kind))).toEqual(
      new Set(["source", "golden", "generated", "calibrated", "delivery"]),
    );
    const delivered = data.filter(({ act }) => act.kind === "delivery");
    expect(delivered.every(({ act }) => act.inputs.length > 0)).toBe(true);
  });

  test("has every story", () => {
    const moves = ofType(plan, "move");
    const withCommand = (type: string) => moves.filter(({ act }) => act.command.type === type);
    const reports = ofType(plan, "report");
    const failed = reports.filter(({ act }) => act.state === "FAILED");
    expect(reports.some(({ act }) => act.verdict === "failed")).toBe(true);
    expect(withCommand("version").length).toBeGreaterThan(0);
    expect(withCommand("rework").length).toBeGreaterThan(0);
    expect(withCommand("gate").length).toBeGreaterThan(1);
    expect(failed.some(({ act }) => act.run.includes("output"))).toBe(true);
    expect(failed.some(({ act }) => act.run.includes("scoring"))).toBe(true);
    for (const type of [
      "withdraw",
      "note",
      "edit",
      "prompt",
      "insight",
      "retract",
      "recordEvaluation",
    ] as const) {
      expect(ofType(plan, type).length, type).toBeGreaterThan(0);
    }
    const duplicates = outcomes.filter((outcome) => outcome === "duplicate").length;
    const naming = actions.filter(({ act }) => JSON.stringify(act).includes('"duplicateOf"'));
    expect(naming).toHaveLength(duplicates);
  });

  test("has one bulk mistake with its revert minutes later, and one bulk retry after a night without a checker", () => {
    const bulks = ofType(plan, "bulk");
    const [mistake] = bulks.filter(({ act }) => act.bulk === "bulk-mistake");
    const [retry] = bulks.filter(({ act }) => act.bulk === "bulk-retry");
    const [revert] = ofType(plan, "revert");
    if (!mistake || !retry || !revert) return expect.fail("a bulk operation is missing");
    expect(bulks).toHaveLength(2);
    expect(revert.tasks).toEqual(mistake.tasks);
    expect(mistake.tasks.length).toBeGreaterThanOrEqual(20);
    expect(mistake.tasks.length).toBeLessThanOrEqual(40);
    const originals = actions.flatMap(
      ({ act }) => /"duplicateOf":(\d+)/.exec(JSON.stringify(act))?.[1] ?? [],
    );
    expect(originals.filter((original) => mistake.tasks.includes(Number(original)))).toEqual([]);
    const minutes = (Date.parse(revert.at) - Date.parse(mistake.at)) / 60_000;
    expect(minutes).toBeGreaterThan(1);
    expect(minutes).toBeLessThan(60);

    const checks = ofType(plan, "report").filter(({ act }) => act.run.includes("check"));
    const crashed = checks.filter(({ act }) => act.state === "FAILED");
    expect(tasksOf(crashed)).toEqual(new Set(retry.tasks));
    expect(crashed.length).toBeGreaterThan(1);
    const failed = new Set(crashed.map(({ act }) => act.run));
    const begun = checks.filter(({ act }) => act.state === "RUNNING");
    const [first = "", ...others] = begun
      .filter(({ act }) => failed.has(act.run))
      .map(({ at }) => at);
    const last = others.at(-1) ?? first;
    const thatNight = begun.filter(({ at }) => at >= first && at <= last);
    expect(thatNight.every(({ act }) => failed.has(act.run))).toBe(true);
    expect(Date.parse(retry.at) - Date.parse(first)).toBeLessThan(86_400_000);
  });

  test("has courses of about the planned length", () => {
    const lengths = [...outcomes.keys()].map(
      (task) => actions.filter(({ tasks }) => tasks.includes(task)).length,
    );
    const delivered = lengths
      .filter((_, task) => outcomes[task] === "delivered")
      .toSorted((a, b) => a - b);
    const median = delivered[Math.floor(delivered.length / 2)] ?? 0;
    expect(median).toBeGreaterThanOrEqual(25);
    expect(median).toBeLessThanOrEqual(45);
  });
});

test("each duplicate names an original that was created before, however few there are", () => {
  const mix = { outcomes: { delivered: 0.25, duplicate: 0.75 } };
  for (let seed = 0; seed < 12; seed += 1) {
    const { actions, outcomes } = givenPlan({ seed, tasks: 8, mix });
    const named = actions.flatMap(({ act, tasks }) => {
      const original = /"duplicateOf":(\d+)/.exec(JSON.stringify(act))?.[1];
      return original === undefined ? [] : [[Number(original), tasks[0] ?? -1] as const];
    });
    expect(named).toHaveLength(6);
    for (const [original, duplicate] of named) {
      expect(original).toBeLessThan(duplicate);
      expect(outcomes[original]).toBe("delivered");
    }
  }
});

test("an outage strikes optimistically reviewed tasks too", () => {
  const mix = { rates: { check_fails: 0, optimistic_review: 1, optimistic_disagrees: 0 } };
  const plan = givenPlan({ seed: 3, mix });
  const crashed = ofType(plan, "report").filter(
    ({ act }) => act.run.includes("check") && act.state === "FAILED",
  );
  expect(crashed.length).toBeGreaterThan(1);
  expect(ofType(plan, "bulk").some(({ act }) => act.bulk === "bulk-retry")).toBe(true);
});
