import { setTimeout as sleep } from "node:timers/promises";
import { ApiProblem, type ApiClient } from "../import/api-client.ts";
import { type SeedRun, seedRun, seedRuns } from "./api.ts";

const POLL_MILLISECONDS = 1000;
const DAY_SECONDS = 24 * 60 * 60;

export interface Story {
  seed: number;
  tasks: number;
  days: number;
  /** When the story ends. By default now, or as soon as the tenant's clock allows. */
  anchor?: string;
}

/** Returns the newest run of the tenant, or null if there is none. */
export async function newestRun(client: ApiClient): Promise<SeedRun | null> {
  const { data } = await client.call({ method: "GET", path: "/seed/runs?limit=1" }, seedRuns);
  return data[0] ?? null;
}

/** Starts a run that stands still. Nothing of its story is told yet. */
export function startRun(client: ApiClient, story: Story): Promise<SeedRun> {
  return client.call({ method: "POST", path: "/seed/runs", body: { ...story, speed: 0 } }, seedRun);
}

/** Returns the id of the run that kept `startRun` from starting another one, or null if the error is another. */
export function openRunOf(error: unknown): string | null {
  return error instanceof ApiProblem && error.code === "conflict" ? error.existingId : null;
}

export function readRun(client: ApiClient, id: string): Promise<SeedRun> {
  return client.call({ method: "GET", path: `/seed/runs/${id}` }, seedRun);
}

/** Archives the tasks of a run, and waits until that is done. */
export async function deleteRun(client: ApiClient, id: string): Promise<void> {
  const path = `/seed/runs/${id}`;
  let run = await client.call({ method: "DELETE", path }, seedRun);
  while (run.state !== "deleted") {
    await sleep(POLL_MILLISECONDS);
    run = await readRun(client, id);
  }
}

/** What to wait for, and what to do with each state of the run on the way. */
interface Watching {
  onProgress?: (run: SeedRun) => Promise<void> | void;
  signal?: AbortSignal;
}

/** Tells the story up to a time at once, and returns the run when that is done. Then it goes on at the speed, if any. */
export async function tellUntil(
  client: ApiClient,
  id: string,
  { until, speed, ...watching }: Watching & { until: string; speed?: number },
): Promise<SeedRun> {
  await advance(client, id, { to: until, ...(speed !== undefined && { speed }) });
  return watchRun(client, id, {
    ...watching,
    isDone: (run) => Date.parse(run.clock) >= Date.parse(until),
  });
}

/** Lets the story go on at a speed, in simulated seconds per second. 0 stops it. */
export function setSpeed(client: ApiClient, id: string, speed: number): Promise<SeedRun> {
  return advance(client, id, { speed });
}

/** Returns the run when its story has ended. */
export function watchToTheEnd(client: ApiClient, id: string, watching: Watching): Promise<SeedRun> {
  return watchRun(client, id, { ...watching, isDone: () => false });
}

/** Returns the number of the day up to which a story is told, from 1. */
export function dayOf({ begin, clock, days }: SeedRun): number {
  const passed = (Date.parse(clock) - Date.parse(begin)) / (DAY_SECONDS * 1000);
  return Math.min(days, Math.floor(passed) + 1);
}

/** Returns the time so many days after the beginning of a story, but at most its end. */
export function dayOfStory({ begin, anchor }: SeedRun, days: number): string {
  const at = Date.parse(begin) + days * DAY_SECONDS * 1000;
  return at >= Date.parse(anchor) ? anchor : new Date(at).toISOString();
}

function advance(client: ApiClient, id: string, body: object): Promise<SeedRun> {
  return client.call({ method: "POST", path: `/seed/runs/${id}/advance`, body }, seedRun);
}

async function watchRun(
  client: ApiClient,
  id: string,
  { onProgress, isDone, signal }: Watching & { isDone: (run: SeedRun) => boolean },
): Promise<SeedRun> {
  for (;;) {
    const run = await readRun(client, id);
    await onProgress?.(run);
    if (isDone(run) || run.state !== "active") return run;
    await sleep(POLL_MILLISECONDS, undefined, signal && { signal });
  }
}
