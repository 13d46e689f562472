import type { SeedRunRecord } from "../../db/seed/seed-runs.ts";
import type { SeedMix } from "../../domain/seed/mix.ts";
import type { SeedRunState } from "../../domain/seed/run-states.ts";
import { beginOf, teamsOf } from "../../domain/seed/settings.ts";

/** A seed run as the API shows it. Times are simulated, except the last two. */
export interface SeedRunView {
  id: string;
  state: SeedRunState;
  seed: number;
  tasks: number;
  days: number;
  begin: string;
  anchor: string;
  mix: SeedMix;
  speed: number;
  /** How far the story is told. */
  clock: string;
  wantedUntil: string;
  progress: {
    /** From 0 to 1: how much of the story's time is told. */
    share: number;
    /** The end of the part that is being told; null if none is. */
    until: string | null;
    /** The teams that are done with that part, or whose tasks are archived. */
    teams: { done: number; total: number };
    actions: { applied: number; refused: number };
  };
  nextActionAt: string | null;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
}

export function seedRunView(run: SeedRunRecord): SeedRunView {
  const { id, state, seed, tasks, days, anchor, mix, speed, wantedUntil, nextActionAt } = run;
  const { appliedUntil, sliceUntil, teamsDone, actionsApplied, actionsRefused } = run;
  const { createdBy, createdAt, updatedAt } = run;
  const begin = beginOf(run);
  const told = Date.parse(appliedUntil) - begin;
  return {
    id,
    state,
    seed,
    tasks,
    days,
    begin: new Date(begin).toISOString().replace("Z", "000Z"),
    anchor,
    mix,
    speed,
    clock: appliedUntil,
    wantedUntil,
    progress: {
      share: told / (Date.parse(anchor) - begin),
      until: sliceUntil,
      teams: { done: teamsDone, total: teamsOf(run).length },
      actions: { applied: actionsApplied, refused: actionsRefused },
    },
    nextActionAt,
    createdBy,
    createdAt,
    updatedAt,
  };
}

/** Whether all is done that a caller has asked of a run so far. */
export function isSeedRunDone({ state, appliedUntil, wantedUntil }: SeedRunRecord): boolean {
  if (state === "active") return Date.parse(appliedUntil) >= Date.parse(wantedUntil);
  return state !== "deleting";
}
