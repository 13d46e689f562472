import type { Guard } from "./guard.ts";

/** Guards of the statements about evals and trials. */
export const EVAL_GUARDS: readonly Guard[] = [
  {
    name: "eval-name-once",
    prevents: "Two calls open two evals of one name.",
    file: "src/db/evals/record-evals.ts",
    text: "\n      and ${IS_LIVE})",
    without: " and false)",
    test: "test/routes/evals/slots.test.ts",
    fails: "goes to one of many simultaneous calls, and the others get its eval",
  },
  {
    name: "eval-locks-eval",
    prevents: "A call reads trials that another one is about to commit.",
    file: "src/db/evals/record-evals.ts",
    text: "    lockEvals(tenantId, input.changes),\n",
    without: "",
    test: "test/proofs/trial-races.test.ts",
    fails: "judge a trial once",
  },
  {
    name: "eval-k-never-falls",
    prevents: "k is lowered past the service.",
    file: "drizzle/triggers/evals_move_with_event.sql",
    text: "    or new.k < old.k\n",
    without: "",
    test: "test/proofs/guards.test.ts",
    fails: "lower k with a new event",
  },
];
