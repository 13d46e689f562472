import { uuidv7 } from "uuidv7";
import type { Database, JointDatabase } from "../../db/connection/client.ts";
import { findSeedRun } from "../../db/seed/seed-runs.ts";
import {
  claimSlice,
  type ClaimedSlice,
  endSlice,
  recordProgress,
  type SeedProgress,
} from "../../db/seed/seed-work.ts";
import { moveSimulatedClock } from "../../db/tenants/simulated-clock.ts";
import { batchesOf } from "../../domain/seed/batches.ts";
import type { PlannedAction } from "../../domain/seed/plan.ts";
import { teamsOf } from "../../domain/seed/settings.ts";
import type { SeedTexts } from "../../domain/seed/texts.ts";
import { applyBatch } from "./apply/apply-batch.ts";
import { archiveTasks } from "./archive-tasks.ts";
import type { SeedWork, Work } from "./seed-work.ts";
import { storyOf } from "./story-of-team.ts";

export interface SeedTools {
  database: Pick<Database, "jointly">;
  texts: SeedTexts;
  requestId: string;
}

/** What one piece of work may cost. */
export interface SeedBudget {
  roundTripsMax: number;
}

/**
 * A request or a message can make 1,000 subrequests on the platform's paid plans (Cloudflare Workers, "Limits"). The rest
 * is for a batch that has to be sent in parts, for retries, and for what follows. A story of 1,000 tasks takes about 600.
 */
export const ROUND_TRIPS_MAX = 800;

/** A queue's clock differs from the database's by less. The shortest time between two ticks is longer. */
const EARLY_SECONDS_MAX = 3;

/** How many batches are applied between two records of progress. After an interruption, at most so many are repeated. */
const BATCHES_PER_RECORD = 8;

/**
 * Tells the story of a run as far as it is wanted, or archives the tasks of a run that is being deleted. It can stop
 * anywhere: the next work repeats what may have been applied, with the same ids. At most one works on a run at a time.
 */
export async function workOnRun(
  { database, texts, requestId }: SeedTools,
  { tenantId, runId }: { tenantId: string; runId: string },
  { roundTripsMax }: SeedBudget,
): Promise<SeedWork & { joint: JointDatabase }> {
  const joint = await database.jointly(tenantId);
  const work: Work = { joint, texts, requestId, holder: uuidv7(), roundTripsMax };
  const done = await go(work, runId);
  if (done.is === "unfinished") joint.outgoing.seedRuns.push({ runId, delaySeconds: 0 });
  if (done.is === "waiting") {
    joint.outgoing.seedRuns.push({ runId, delaySeconds: Math.max(0, Math.ceil(done.seconds)) });
  }
  return { ...done, joint };
}

async function go(work: Work, runId: string): Promise<SeedWork> {
  for (let hasTicked = false; ; hasTicked = true) {
    const claimed = await claimSlice(work.joint.at(null), runId, work.holder);
    const ended = claimed === null ? "unclaimed" : await applySlice(work, claimed);
    if (ended === "unfinished") return { is: ended };
    // A slice is lost if the run is being deleted.
    if (ended !== "ended") return goOn(work, runId, hasTicked);
  }
}

/** Finds out why there is no slice to apply, and archives if that is wanted. `hasTicked` if this work has set the next tick. */
async function goOn(work: Work, runId: string, hasTicked: boolean): Promise<SeedWork> {
  const { found: run } = await findSeedRun(work.joint.at(null), runId);
  if (run === undefined) return { is: "idle" };
  if (run.state === "deleting") return archiveTasks(work, run);
  if (run.state !== "active") return { is: "idle" };
  if (run.isLeased) return { is: "busy" };
  if (run.speed === 0) return { is: "idle" };
  const seconds = run.tickInSeconds;
  if (hasTicked) return { is: "waiting", seconds };
  // The message of the next tick is on its way, or it is this one.
  return seconds <= EARLY_SECONDS_MAX
    ? { is: "early", seconds: Math.max(1, seconds) }
    : { is: "idle" };
}

async function applySlice(
  work: Work,
  { run, isResumed }: ClaimedSlice,
): Promise<"ended" | "unfinished" | "lost"> {
  const { joint, texts, requestId, holder, roundTripsMax } = work;
  const lease = { id: run.id, holder };
  const [from, until] = [Date.parse(run.appliedUntil), Date.parse(run.sliceUntil)];
  const progress: SeedProgress = {
    teamsDone: run.teamsDone,
    batchesDone: run.batchesDone,
    nextActionAt: run.teamsDone === 0 ? null : run.nextActionAt,
    actionsApplied: run.actionsApplied,
    actionsRefused: run.actionsRefused,
  };
  const record = (isLast: boolean) =>
    recordProgress(joint.at(null), lease, { ...progress, isLast, state: "active" });
  // Only what was applied after the last record can have been applied before.
  let repeats = isResumed ? BATCHES_PER_RECORD : 0;
  const teams = teamsOf(run);
  for (const { index } of teams.slice(run.teamsDone)) {
    const story = storyOf(run, index, texts);
    // By time.
    const { actions } = story.plan;
    const first = firstAfter(from, actions);
    const next = firstAfter(until, actions);
    const batches = batchesOf(actions.slice(first, next));
    for (const batch of batches.slice(progress.batchesDone)) {
      if (joint.roundTrips >= roundTripsMax) return (await record(true)) ? "unfinished" : "lost";
      const stage = { runId: run.id, joint, requestId, story };
      const { applied, refused } = await applyBatch(stage, batch, { isRepeat: repeats > 0 });
      repeats -= 1;
      progress.batchesDone += 1;
      progress.actionsApplied += applied;
      progress.actionsRefused += refused;
      const isRecorded = progress.batchesDone % BATCHES_PER_RECORD !== 0 || (await record(false));
      if (!isRecorded) return "lost";
    }
    progress.nextActionAt = earlier(progress.nextActionAt, actions[next]?.at ?? null);
    progress.teamsDone += 1;
    progress.batchesDone = 0;
    if (progress.teamsDone < teams.length && !(await record(false))) return "lost";
  }
  await setClock(work, run, progress.nextActionAt);
  const tickSeconds = secondsToNextTick(run, progress.nextActionAt);
  const end = { ...progress, until: run.sliceUntil, tickSeconds };
  return (await endSlice(joint.at(null), lease, end)) ? "ended" : "lost";
}

/** Returns the position of the first action after a time, in milliseconds since 1970; their number if there is none. */
function firstAfter(time: number, actions: readonly PlannedAction[]): number {
  const found = actions.findIndex(({ at }) => Date.parse(at) > time);
  return found === -1 ? actions.length : found;
}

/**
 * Sets the tenant's clock to the end of a slice. It runs on from there at the run's speed up to the next action, which is
 * applied by the next tick, so no one sees a time at which something is missing. At the end of the story it stands still.
 */
async function setClock(
  { joint }: Work,
  { speed, sliceUntil, anchor }: ClaimedSlice["run"],
  nextActionAt: string | null,
): Promise<void> {
  const isOver = Date.parse(sliceUntil) >= Date.parse(anchor);
  const moved = await moveSimulatedClock(joint.at(null), {
    at: sliceUntil,
    speed: isOver ? 0 : speed,
    until: isOver || speed === 0 ? null : (nextActionAt ?? anchor),
  });
  if (!moved.ok) throw new Error("A tenant that is no demo has a seed run");
}

const TICK_SECONDS_MIN = 5;
const TICK_SECONDS_MAX = 600;

/** Returns when the next tick of a run is due, in real seconds: when there is something to apply. */
function secondsToNextTick(
  { speed, sliceUntil, anchor }: ClaimedSlice["run"],
  nextActionAt: string | null,
): number {
  if (speed === 0) return 0;
  const simulated = (Date.parse(nextActionAt ?? anchor) - Date.parse(sliceUntil)) / 1000;
  return Math.min(TICK_SECONDS_MAX, Math.max(TICK_SECONDS_MIN, simulated / speed));
}

function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return Date.parse(one) <= Date.parse(other) ? one : other;
}
