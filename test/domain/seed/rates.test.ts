import { describe, expect, test } from "vitest";
import { type SeedOutcome, type SeedRate, seedMix } from "../../../src/domain/seed/mix.ts";
import type { PlannedAct, TeamPlan } from "../../../src/domain/seed/plan.ts";
import { givenPlan } from "./support/given-plan.ts";

/** What a plan shows of one task, in order. */
interface Course {
  outcome: SeedOutcome;
  acts: readonly { actor: string; act: PlannedAct }[];
}

function coursesOf({ actions, outcomes }: TeamPlan): Course[] {
  const acts = outcomes.map((): Course["acts"][number][] => []);
  for (const { actor, act, tasks } of actions)
    for (const task of tasks) acts[task]?.push({ actor, act });
  return outcomes.map((outcome, task) => ({ outcome, acts: acts[task] ?? [] }));
}

const isApproved = ({ outcome }: Course) => outcome === "delivered" || outcome === "approved";
const isEnded = ({ outcome }: Course) => outcome !== "in_progress";
const has = (course: Course, is: (act: PlannedAct) => boolean) =>
  course.acts.some(({ act }) => is(act));

const isReportOn =
  (run: string) =>
  (act: PlannedAct): act is PlannedAct & { type: "report" } =>
    act.type === "report" && act.run.includes(run);

const isCommand = (act: PlannedAct, type: string) =>
  act.type === "move" && act.command.type === type;

/** Returns the first verdict of the check, and whether an expert was quicker. */
function firstCheck({ acts }: Course): { verdict: string | undefined; isOptimistic: boolean } {
  const judged = acts.findIndex(({ act }) => isReportOn("check")(act) && act.state === "SUCCEEDED");
  const report = acts[judged]?.act;
  return {
    verdict: report?.type === "report" ? report.verdict : undefined,
    isOptimistic: acts.slice(0, judged).some(({ act }) => act.type === "review"),
  };
}

const hasOutput = (course: Course) => isEnded(course) && has(course, isReportOn("output"));
const isOptimistic = (course: Course) => isEnded(course) && firstCheck(course).isOptimistic;

/** Of which tasks each rate is the share, and what shows that it happened to one. */
const RATES: Record<
  SeedRate,
  { of: (course: Course) => boolean; is: (course: Course) => boolean }
> = {
  check_fails: {
    of: isEnded,
    is: (course) => firstCheck(course).verdict === "failed" && !firstCheck(course).isOptimistic,
  },
  output_fails: {
    of: hasOutput,
    is: (course) => has(course, (act) => isReportOn("output")(act) && act.state === "FAILED"),
  },
  changes_requested: {
    of: isApproved,
    is: (course) => {
      const withdrawn = course.acts.flatMap(({ act }) =>
        act.type === "withdraw" ? act.review : [],
      );
      return has(
        course,
        (act) =>
          act.type === "review" &&
          act.move?.status === "changes_requested" &&
          !withdrawn.includes(act.review),
      );
    },
  },
  revised_after_approval: {
    of: isApproved,
    is: ({ acts }) => {
      const approved = acts.findIndex(({ act }) => isCommand(act, "rework"));
      return acts.some(
        ({ actor, act }, index) =>
          index >= approved &&
          actor.startsWith("lead") &&
          act.type === "move" &&
          act.command.type === "rework" &&
          act.command.toKind !== "authoring",
      );
    },
  },
  held: { of: hasOutput, is: (course) => has(course, (act) => isCommand(act, "gate")) },
  review_withdrawn: {
    of: isApproved,
    is: (course) => has(course, ({ type }) => type === "withdraw"),
  },
  scoring_fails: {
    of: ({ outcome }) => outcome === "delivered",
    is: (course) =>
      has(
        course,
        (act) => isReportOn("scoring")(act) && (act.state === "FAILED" || act.verdict === "failed"),
      ),
  },
  trial_retracted: {
    of: isApproved,
    is: (course) => has(course, ({ type }) => type === "retract"),
  },
  optimistic_review: { of: isEnded, is: isOptimistic },
  optimistic_disagrees: {
    of: isOptimistic,
    is: (course) => firstCheck(course).verdict === "failed",
  },
};

/** The 99 % quantiles of the chi-square distribution with 1 and with 10 degrees of freedom. */
const BOUND = { one: 6.635, ten: 23.209 };
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 100);

function chiSquare(count: number, of: number, rate: number): number {
  const expected = of * rate;
  return (count - expected) ** 2 / expected + (count - expected) ** 2 / (of - expected);
}

describe("over ten seeds", () => {
  const teams = SEEDS.map((seed) => coursesOf(givenPlan({ seed })));
  const { rates } = seedMix.parse({});

  test.each(Object.entries(RATES))("the rate %s holds", (name, { of, is }) => {
    const rate = rates[name as SeedRate]; // keys of a record
    const counts = teams.map((courses) => {
      const candidates = courses.filter(of);
      return { of: candidates.length, count: candidates.filter(is).length };
    });
    // A story is in every team of 200 tasks.
    for (const { count } of counts) expect(count).toBeGreaterThan(0);
    const each = counts.map((one) => chiSquare(one.count, one.of, rate));
    expect(each.reduce((sum, one) => sum + one, 0)).toBeLessThan(BOUND.ten);
    const [count, all] = [
      counts.reduce((sum, one) => sum + one.count, 0),
      counts.reduce((sum, one) => sum + one.of, 0),
    ];
    expect(chiSquare(count, all, rate)).toBeLessThan(BOUND.one);
  });

  test("what a mix rules out does not happen, and what it asks of all happens to all", () => {
    const none = Object.fromEntries(Object.keys(RATES).map((name) => [name, 0]));
    const calm = coursesOf(givenPlan({ seed: 7, mix: { rates: none } }));
    for (const { of, is } of Object.values(RATES))
      expect(calm.filter((one) => of(one) && is(one))).toEqual([]);
    const outcomes = { delivered: 1 };
    const wild = coursesOf(
      givenPlan({
        seed: 7,
        tasks: 100,
        mix: { outcomes, rates: { changes_requested: 1, revised_after_approval: 1, held: 1 } },
      }),
    );
    for (const name of ["changes_requested", "revised_after_approval", "held"] as const) {
      expect(wild.every((course) => RATES[name].is(course))).toBe(true);
    }
  });
});
