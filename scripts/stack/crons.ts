import { Cron } from "croner";

/** Cloudflare's cron triggers run by UTC, and number weekdays from 1 for Sunday (Cloudflare's docs, "Cron Triggers"). */
const AS_CLOUDFLARE = { timezone: "UTC", alternativeWeekdays: true } as const;

/**
 * Calls `fire` at the times of each cron expression. If a call takes longer than its interval, the next one waits for
 * its end. Returns a function that stops all of them.
 */
export function scheduleCrons(
  crons: readonly string[],
  fire: (cron: string) => Promise<void>,
): () => void {
  const jobs = crons.map(
    (cron) => new Cron(cron, { ...AS_CLOUDFLARE, protect: true }, () => fire(cron)),
  );
  return () => {
    for (const job of jobs) job.stop();
  };
}

/** The expression whose next two runs are the closest to each other; undefined if there is none. */
export function mostFrequent(crons: readonly string[]): string | undefined {
  const interval = (cron: string) => {
    const [first, second] = new Cron(cron, AS_CLOUDFLARE).nextRuns(2);
    return first && second ? second.getTime() - first.getTime() : Infinity;
  };
  return crons.toSorted((one, other) => interval(one) - interval(other))[0];
}
