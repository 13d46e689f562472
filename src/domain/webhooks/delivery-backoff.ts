const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The delay after each failed attempt, in seconds. About a day in total. */
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

/** The number of attempts after which a message is dead. */
export const DELIVERY_ATTEMPTS_MAX = WAITS.length + 1;

/**
 * Returns how long to wait after a failed attempt, counted from 1; null if it was the last one. A longer delay that the
 * endpoint requested is honored.
 */
export function retryDelaySeconds(attempt: number, requestedSeconds: number | null): number | null {
  const wait = WAITS[attempt - 1];
  return wait === undefined ? null : Math.max(wait, requestedSeconds ?? 0);
}
