/** What the service depends on. */
export type Dependency = "database" | "bucket";

/** Returns the dependency that does not respond; null if the service is ready. */
export type CheckReadiness = () => Promise<Dependency | null>;

/** How long a result is reused. Load balancers ask every few seconds, and anyone may ask. */
export const READINESS_SECONDS = 3;
/** How often a call looks whether the check of another call has ended. */
const POLL_MS = 25;
/** A check that runs longer than a statement may belonged to a request that was cancelled. */
const CHECK_MS_MAX = 10_000;

/**
 * Returns a check whose result is shared by all calls of an isolate, with at most one check in progress. Calls that come
 * in between wait for it by polling: workerd ties a promise to the request that created it, which may be cancelled.
 */
export function shareReadiness(check: CheckReadiness, now: () => Date): CheckReadiness {
  const state: State = { last: null, running: null };

  const runCheck = async () => {
    const run = {};
    state.running = run;
    try {
      const result = await check();
      state.last = { result, at: now().getTime() };
      return result;
    } finally {
      if (state.running === run) state.running = null;
    }
  };

  return async () => {
    for (let waitedMs = 0; state.running && waitedMs < CHECK_MS_MAX; waitedMs += POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const { last } = state;
    const isFresh = last !== null && now().getTime() - last.at < READINESS_SECONDS * 1000;
    return isFresh ? last.result : runCheck();
  };
}

interface State {
  /** The newest result, and when it was found, in milliseconds since 1970. */
  last: { result: Dependency | null; at: number } | null;
  /** Identifies the check in progress. */
  running: object | null;
}
