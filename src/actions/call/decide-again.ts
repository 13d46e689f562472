import { type Outcome, refuse, type Refusal } from "../../domain/refusals.ts";

/** What an attempt returns if another call changed its subject between load and record. Nothing was written. */
export const LOST_RACE = Symbol("lost race");

/**
 * How long a call whose meaning no race changes is tried, and how often: an attempt takes two round trips, and the
 * smallest Workers plan allows 50 subrequests for each request.
 */
const UNTIL_RECORDED = { millisecondsMax: 25_000, attemptsMax: 20 };
/** The waits between its attempts, with full jitter: at most these, each twice the one before. */
const WAIT_MS = { first: 20, max: 1280 };

/** How often a call that loses a race is decided, so that it is answered from the state that the winner left. */
const ATTEMPTS_MAX = 3;

type Subject = "task" | "eval" | "insight" | "operation" | "pipeline" | "webhook";

/** Loads, decides and records again until no race is lost. Refuses as `stale` after three attempts. */
export async function decideAgain<Value>(
  subject: Subject,
  attempt: () => Promise<Outcome<Value> | typeof LOST_RACE>,
): Promise<Outcome<Value>> {
  for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts += 1) {
    const outcome = await attempt();
    if (outcome !== LOST_RACE) return outcome;
  }
  return refuse(stale(subject));
}

/**
 * Like `decideAgain`, for a call whose meaning does not depend on what others do at the same time: a note, or an edit of
 * some fields. It is decided again from fresh state until it is recorded, or refused for another reason. Callers that
 * lose a race together wait for different times, so that each attempt meets fewer others.
 */
export async function decideUntilRecorded<Value>(
  subject: Subject,
  attempt: () => Promise<Outcome<Value> | typeof LOST_RACE>,
): Promise<Outcome<Value>> {
  const startedAt = performance.now();
  const { millisecondsMax, attemptsMax } = UNTIL_RECORDED;
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await attempt();
    if (outcome !== LOST_RACE) return outcome;
    const isLast = attempts === attemptsMax || performance.now() - startedAt > millisecondsMax;
    if (isLast) return refuse(stale(subject));
    const wait = Math.random() * Math.min(WAIT_MS.first * 2 ** (attempts - 1), WAIT_MS.max);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function stale(subject: Subject): Refusal {
  const detail = `The ${subject} kept changing while this request was processed. Nothing was changed.`;
  return { code: "stale", detail };
}
