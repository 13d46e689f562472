import type { SeedMix } from "./mix.ts";
import { DAY_MS } from "./office-hours.ts";

/** Everything that a story depends on besides the texts. */
export interface SeedSettings {
  seed: number;
  tasks: number;
  /** The time at which the story ends. */
  anchor: string;
  /** How long the story is. */
  days: number;
  mix: SeedMix;
}

/** A part of a run that is planned and applied on its own, with people of its own. */
export interface SeedTeam {
  /** Counted from 0. */
  index: number;
  tasks: number;
}

export const TEAM_TASKS_MAX = 1000;

/** A shorter story has no room for a task that is revised over a weekend. */
export const SEED_DAYS_MIN = 14;
export const SEED_DAYS_MAX = 366;
export const SEED_DAYS_DEFAULT = 91;

/** Divides the tasks of a run into as few teams as possible, of equal size up to one task. */
export function teamsOf({ tasks }: Pick<SeedSettings, "tasks">): SeedTeam[] {
  const teams = Math.ceil(tasks / TEAM_TASKS_MAX);
  return Array.from({ length: teams }, (_, index) => ({
    index,
    tasks: Math.floor(tasks / teams) + (index < tasks % teams ? 1 : 0),
  }));
}

/** Returns when a story begins, in milliseconds since 1970. */
export function beginOf({ anchor, days }: Pick<SeedSettings, "anchor" | "days">): number {
  return Date.parse(anchor) - days * DAY_MS;
}
