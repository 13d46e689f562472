import { type SeedMix, type SeedOutcome, type SeedRate } from "../mix.ts";
import { chosenAtRate } from "../quota.ts";
import type { Chance, Streams } from "../random.ts";

/** Where a task in progress waits for someone, if it comes that far before the anchor. */
export const STALLS = [
  "intake",
  "draft",
  "author_asked",
  "check_failed",
  "ready",
  "output_failed",
  "submitted",
  "expert_asked",
  "changes",
] as const;
export type Stall = (typeof STALLS)[number];

/** What happens to a task on its way. */
export interface Traits {
  checkFails: boolean;
  outputFails: boolean;
  changesRequested: boolean;
  revised: boolean;
  held: boolean;
  reviewWithdrawn: boolean;
  scoringFails: boolean;
  trialRetracted: boolean;
  /** An expert approves the task while its check runs, and whether the check agrees. */
  optimistic: "agrees" | "disagrees" | null;
  /** The task is rejected or a duplicate already before its output is generated. */
  endsEarly: boolean;
  /** Null for tasks that end. */
  stall: Stall | null;
}

const EARLY_RATE = 0.4;

const isApproved = (outcome: SeedOutcome) => outcome === "delivered" || outcome === "approved";

/** Decides what happens to each task. The rates hold among tasks that end, and among those in progress. */
export function traitsOf(
  outcomes: readonly SeedOutcome[],
  rates: SeedMix["rates"],
  streams: Streams,
): Traits[] {
  const indexes = [...outcomes.keys()];
  const ending = indexes.filter((index) => outcomes[index] !== "in_progress");
  const open = indexes.filter((index) => outcomes[index] === "in_progress");
  const unapproved = ending.filter((index) => !isApproved(outcomes[index] ?? "in_progress"));
  const approved = ending.filter((index) => !unapproved.includes(index));
  const early = chosenAtRate(unapproved, EARLY_RATE, streams("early ends"));
  const generated = ending.filter((index) => !early.has(index));
  const delivered = ending.filter((index) => outcomes[index] === "delivered");

  const choose = (rate: SeedRate, ...groups: readonly (readonly number[])[]) => {
    const chance = streams(`rate ${rate}`);
    return union(groups.map((group) => chosenAtRate(group, rates[rate], chance)));
  };
  const checkFails = choose("check_fails", ending, open);
  const outputFails = choose("output_fails", generated, open);
  const changesRequested = choose("changes_requested", approved, open);
  const revised = choose("revised_after_approval", approved);
  const held = choose("held", generated, open);
  const reviewWithdrawn = choose("review_withdrawn", approved);
  const scoringFails = choose("scoring_fails", delivered);
  const trialRetracted = choose("trial_retracted", approved);
  const optimistic = optimisticOf({ ending, open, checkFails, rates }, streams("optimistic"));
  const stalls = stallsOf(open, streams("stalls"));
  return indexes.map((index) => ({
    checkFails: checkFails.has(index) || stalls.get(index) === "check_failed",
    outputFails: outputFails.has(index) || stalls.get(index) === "output_failed",
    changesRequested: changesRequested.has(index) || stalls.get(index) === "changes",
    revised: revised.has(index),
    held: held.has(index),
    reviewWithdrawn: reviewWithdrawn.has(index),
    scoringFails: scoringFails.has(index),
    trialRetracted: trialRetracted.has(index),
    optimistic: stalls.get(index) === "check_failed" ? null : (optimistic.get(index) ?? null),
    endsEarly: early.has(index),
    stall: stalls.get(index) ?? null,
  }));
}

/** Optimistic reviews are drawn from the tasks whose check does not fail, but their rate is that of all tasks. */
function optimisticOf(
  {
    ending,
    open,
    checkFails,
    rates,
  }: {
    ending: readonly number[];
    open: readonly number[];
    checkFails: ReadonlySet<number>;
    rates: SeedMix["rates"];
  },
  chance: Chance,
): ReadonlyMap<number, "agrees" | "disagrees"> {
  const chosen = [ending, open].flatMap((group) => {
    const free = group.filter((index) => !checkFails.has(index));
    const rate = (rates.optimistic_review * group.length) / Math.max(1, free.length);
    return [...chosenAtRate(free, Math.min(1, rate), chance)];
  });
  const disagrees = chosenAtRate(chosen, rates.optimistic_disagrees, chance);
  return new Map(
    chosen.map((index) => [index, disagrees.has(index) ? "disagrees" : "agrees"] as const),
  );
}

/** Every place in turn, in random order, so that each label occurs among the tasks in progress. */
function stallsOf(open: readonly number[], chance: Chance): ReadonlyMap<number, Stall> {
  const places = open.map((_, position) => STALLS[position % STALLS.length] ?? "draft");
  const shuffled = chance.shuffle(places);
  return new Map(open.map((index, position) => [index, shuffled[position] ?? "draft"]));
}

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  return new Set(sets.flatMap((set) => [...set]));
}
