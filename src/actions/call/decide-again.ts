import { type Outcome, refuse } from "../../domain/refusals.ts";

/** What an attempt returns if another call changed its subject between load and record. Nothing was written. */
export const LOST_RACE = Symbol("lost race");

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
  const detail = `The ${subject} kept changing while this request was processed. Nothing was changed.`;
  return refuse({ code: "stale", detail });
}
