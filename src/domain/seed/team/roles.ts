import { DAY_MS } from "../office-hours.ts";
import { type SeedMix, SEED_OUTCOMES, type SeedOutcome } from "../mix.ts";
import { quotasOf } from "../quota.ts";
import type { Streams } from "../random.ts";
import { type Arrival, arrivalsWithin, stillInProgress } from "./arrivals.ts";
import type { Colleague } from "./colleague.ts";
import { type Traits, traitsOf } from "./traits.ts";

/** When a task begins, who writes it, how it ends, and what happens to it until then. */
export interface Role extends Arrival {
  outcome: SeedOutcome;
  traits: Traits;
}

interface Casting {
  tasks: number;
  from: number;
  anchor: number;
  /** The age of the youngest task that can have ended, in milliseconds. */
  youngestEnded: number;
  authors: readonly Colleague[];
  mix: SeedMix;
}

/** Returns the tasks of a story, in the order in which they begin. */
export function rolesOf(casting: Casting, streams: Streams): Role[] {
  const { tasks, anchor, mix, from } = casting;
  const quotas = quotasOf(mix.outcomes, tasks);
  const arrivals = arrivalsOf(casting, quotas.in_progress, streams);
  const days = (anchor - from) / DAY_MS;
  const { youngestEnded } = casting;
  const open = stillInProgress(
    arrivals,
    { count: quotas.in_progress, anchor, youngestEnded, days },
    streams("in progress"),
  );
  const ends = streams("outcomes").shuffle(
    SEED_OUTCOMES.filter((outcome) => outcome !== "in_progress").flatMap((outcome) =>
      Array<SeedOutcome>(quotas[outcome]).fill(outcome),
    ),
  );
  const outcomes = arrivals.map((_, index): SeedOutcome =>
    open.has(index) ? "in_progress" : (ends.pop() ?? "in_progress"),
  );
  putOriginalsFirst(outcomes);
  const traits = traitsOf(outcomes, mix.rates, streams);
  return arrivals.map((arrival, index) => {
    const [outcome, trait] = [outcomes[index], traits[index]];
    if (outcome === undefined || trait === undefined) throw new Error("Each arrival has a role");
    return { ...arrival, outcome, traits: trait };
  });
}

/** Returns the arrivals in order. Only as many are late as may be in progress at the anchor. */
function arrivalsOf(casting: Casting, inProgress: number, streams: Streams): Arrival[] {
  const { tasks, from, anchor, youngestEnded, authors } = casting;
  const drawn = arrivalsWithin({ from, to: anchor, authors }, tasks, streams("arrivals"));
  const isLate = ({ at }: Arrival) => anchor - at < youngestEnded;
  const late = drawn.filter(isLate);
  const early = drawn.filter((arrival) => !isLate(arrival));
  const excess = Math.max(0, late.length - inProgress);
  const moved = arrivalsWithin(
    { from, to: anchor - youngestEnded, authors },
    excess,
    streams("earlier arrivals"),
  );
  return [...early, ...late.slice(excess), ...moved].toSorted((one, other) => one.at - other.at);
}

/** Outcomes of tasks that a duplicate can name as its original. */
export function canBeOriginal(outcome: SeedOutcome): boolean {
  return outcome === "delivered" || outcome === "approved";
}

/** Swaps outcomes, so that the first task is no duplicate as long as there is anything to duplicate. */
function putOriginalsFirst(outcomes: SeedOutcome[]): void {
  const first = outcomes.findIndex((outcome) => outcome !== "in_progress");
  const original = outcomes.findIndex(canBeOriginal);
  if (first === -1 || original === -1) return;
  const [one, other] = [outcomes[first], outcomes[original]];
  if (one === undefined || other === undefined) return;
  outcomes[first] = other;
  outcomes[original] = one;
}
