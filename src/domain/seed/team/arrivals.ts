import { DAY_MS } from "../office-hours.ts";
import type { Chance } from "../random.ts";
import type { Colleague } from "./colleague.ts";

/** When someone begins a task. */
export interface Arrival {
  at: number;
  author: Colleague;
}

/** On its last day, a team begins half as many tasks again as on its first. */
const GROWTH = 0.5;

/** How many tasks people begin on each day of the week, from Sunday. */
const WEEKDAYS: readonly number[] = [0.9, 1.15, 1.1, 1, 0.95, 0.7, 0];

/** Work that begins in the last minutes of a day is rare. */
const MARGIN_MS = 20 * 60_000;

/** Returns so many beginnings within a time span, during the office hours of their authors, in no order. */
export function arrivalsWithin(
  { from, to, authors }: { from: number; to: number; authors: readonly Colleague[] },
  count: number,
  chance: Chance,
): Arrival[] {
  const windows: { from: number; to: number; author: Colleague; reached: number }[] = [];
  let total = 0;
  for (const author of authors) {
    for (let at = from; at < to;) {
      const shift = author.calendar.shiftFrom(at);
      const [begins, ends] = [Math.max(shift.from, at), Math.min(shift.to - MARGIN_MS, to)];
      at = shift.to;
      if (ends <= begins) continue;
      const growth = 1 + (GROWTH * (begins - from)) / (to - from);
      const weekday = WEEKDAYS[new Date(begins).getUTCDay()] ?? 1;
      total += (ends - begins) * growth * weekday;
      windows.push({ from: begins, to: ends, author, reached: total });
    }
  }
  return Array.from({ length: count }, () => {
    const drawn = chance.uniform() * total;
    const window = firstReaching(windows, drawn);
    if (window === undefined) throw new Error("The story has no working time");
    const at = chance.between(window.from, window.to);
    return { at: Math.floor(at / 1000) * 1000, author: window.author };
  });
}

function firstReaching<Window extends { reached: number }>(
  windows: readonly Window[],
  drawn: number,
): Window | undefined {
  let [low, high] = [0, windows.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((windows[middle]?.reached ?? 0) > drawn) high = middle;
    else low = middle + 1;
  }
  return windows[low];
}

/**
 * Returns which of the arrivals are still in progress at the anchor: all that are younger than the youngest that can have
 * ended, and others by chance, the younger the likelier.
 */
export function stillInProgress(
  arrivals: readonly Arrival[],
  { count, anchor, youngestEnded, days }: StillInProgress,
  chance: Chance,
): ReadonlySet<number> {
  const typicalAge = (count / Math.max(1, arrivals.length)) * days * DAY_MS;
  const keyed = arrivals.map(({ at }, index) => {
    const age = anchor - at;
    // Weighted sampling without replacement (Efraimidis and Spirakis 2006).
    const weight = 1 / (1 + Math.exp((age - typicalAge) / (typicalAge / 4 + 1)));
    const key = age < youngestEnded ? 1 : Math.log(chance.uniform()) / Math.max(weight, 1e-12);
    return { index, key };
  });
  const chosen = keyed.toSorted((one, other) => other.key - one.key || one.index - other.index);
  return new Set(chosen.slice(0, count).map(({ index }) => index));
}

interface StillInProgress {
  count: number;
  anchor: number;
  /** The age of the youngest task that can have ended, in milliseconds. */
  youngestEnded: number;
  /** The length of the story. */
  days: number;
}
