import type { StoryTask } from "./story-task.ts";

/** The time from the end of the lead's working day to the next morning. */
export interface Night {
  from: number;
  to: number;
}

/** A night in which the checker is down, and the tasks whose checks failed because of that. */
export class Outage {
  readonly night: Night | null;
  readonly struck: { life: StoryTask; resume: () => void }[] = [];
  /** When checks began. */
  readonly checksAt: number[] = [];

  constructor(night: Night | null) {
    this.night = night;
  }

  isDown(at: number): boolean {
    return this.night !== null && this.night.from <= at && at < this.night.to;
  }
}

/** Returns the night in which most checks began, or null if there was none. */
export function busiestNight(nights: readonly Night[], checksAt: readonly number[]): Night | null {
  let [busiest, most]: [Night | null, number] = [null, 0];
  for (const night of nights) {
    const checks = checksAt.filter((at) => night.from <= at && at < night.to).length;
    if (checks > most) [busiest, most] = [night, checks];
  }
  return busiest;
}
