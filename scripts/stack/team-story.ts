import { createApiClient, type ApiClient } from "../import/api-client.ts";
import type { SeedRun } from "../seed/api.ts";
import { dayOf, newestRun, startRun, tellUntil } from "../seed/tell-story.ts";
import type { Tenant } from "./tenants.ts";

const STORY = { seed: 1, days: 91 };

/**
 * Two weeks in an hour: a day takes four minutes. In office hours, something happens every few seconds, which is as often
 * as the simulator applies what is due, and a person can still follow one task. A weekend takes nine minutes.
 */
const SPEED = 336;

const DAY_MS = 24 * 60 * 60 * 1000;
const AHEAD_DAYS = 14;
/** The days since 1970 of a Monday, and the hour (UTC) at which the first of the team have begun to work. */
const MONDAY = 4;
const MORNING_HOUR = 7;

/**
 * Tells the story of the simulated team of a local stack: all but about the last two weeks at once, so that the first look
 * shows a team in the middle of its work, and the rest at a lively speed. A story that began earlier goes on by itself.
 * Prints how it is going, and never throws: the stack is of use without a story.
 */
export async function tellTeamStory(
  stack: { baseUrl: string; tenants: readonly Tenant[] },
  { tasks, signal }: { tasks: number; signal: AbortSignal },
): Promise<void> {
  const demo = stack.tenants.find(({ kind }) => kind === "demo");
  if (demo === undefined) return;
  const client = createApiClient({ baseUrl: stack.baseUrl, key: demo.keys.admin });
  try {
    const known = await newestRun(client);
    const run = known ?? (await startRun(client, { ...STORY, tasks }));
    if (isUntold(run)) await tellBeginning(client, run, { name: demo.name, signal });
    else console.log(`${demo.name}: ${whereItIs(run)}`);
  } catch (error) {
    if (signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`The story of ${demo.name} could not be told: ${reason}`);
  }
}

/** Whether nothing of a run has been asked for: it is new, or the stack was stopped right after it began. */
function isUntold({ state, begin, wantedUntil, speed }: SeedRun): boolean {
  return state === "active" && speed === 0 && Date.parse(wantedUntil) <= Date.parse(begin);
}

async function tellBeginning(
  client: ApiClient,
  run: SeedRun,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<void> {
  const began = performance.now();
  const until = mondayMorning(Date.parse(run.anchor) - AHEAD_DAYS * DAY_MS);
  const told = await tellUntil(client, run.id, { until, speed: SPEED, signal });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${name}: ${whereItIs(told)} Its past took ${seconds} s.`);
}

/** Returns the last Monday morning that is not after a time. A weekend would be a dull beginning. */
export function mondayMorning(at: number): string {
  const shift = MONDAY * DAY_MS + MORNING_HOUR * 60 * 60 * 1000;
  const weeks = Math.floor((at - shift) / (7 * DAY_MS));
  return new Date(weeks * 7 * DAY_MS + shift).toISOString();
}

function whereItIs(run: SeedRun): string {
  const { state, days, speed, progress } = run;
  if (state === "ended") return "its story has ended. Tell another one: npm run seed";
  if (state !== "active") return "its story was deleted. Tell another one: npm run seed";
  const pace = speed === 0 ? "stands still" : `goes on, ${speed} times as fast as life`;
  return `day ${dayOf(run)} of ${days}, ${progress.actions.applied} actions so far. It ${pace}.`;
}
