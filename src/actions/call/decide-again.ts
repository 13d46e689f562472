import { type Outcome, refuse } from "../../domain/refusals.ts";

/** Somebody else changed what a call was decided on before it was recorded: nothing was written. */
export const LOST_RACE = Symbol("lost race");

/** A lawful call that loses a race is loaded and decided again this often, so that the loser learns the truth. */
const TRIES_MAX = 3;

type Subject = "task" | "eval" | "insight" | "operation";

/** Tries to load, decide and record until no race is lost, or until it is time to say so. */
export async function decideAgain<Value>(
  subject: Subject,
  attempt: () => Promise<Outcome<Value> | typeof LOST_RACE>,
): Promise<Outcome<Value>> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const outcome = await attempt();
    if (outcome !== LOST_RACE) return outcome;
  }
  return keptChanging(subject);
}

function keptChanging(subject: Subject): Outcome<never> {
  return refuse({
    code: "stale",
    detail: `The ${subject} kept changing while this call was decided. Nothing was done.`,
  });
}
