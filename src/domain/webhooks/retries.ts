const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** How long to wait after each try that failed, in seconds: about a day in all. */
const WAITS = [
  10,
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
] as const;

/** After so many tries a message is given up. */
export const DELIVERY_ATTEMPTS_MAX = WAITS.length + 1;

/**
 * How long to wait after this try, the first being 1; null where it was the last. Where the other side asked for more
 * time it gets it.
 */
export function retryDelaySeconds(attempt: number, askedSeconds: number | null): number | null {
  const wait = WAITS[attempt - 1];
  return wait === undefined ? null : Math.max(wait, askedSeconds ?? 0);
}
