import { sql } from "drizzle-orm";
import { type Effects, lockStatements, moveStatement } from "./move-statement.ts";
import type { PreparedWrite } from "../connection/prepared.ts";
import { CALL_INPUTS, callOfInputs } from "./call-inputs.ts";

// The prepared statements that write moves. There are two because the CTEs that a plain move never needs would make it
// half as slow again.

const PLAIN_INPUTS = {
  ...CALL_INPUTS,
  moves: "json",
  events: "json",
} as const;

const INPUTS = {
  ...PLAIN_INPUTS,
  versions: "json",
  steps: "json",
  holds: "json",
  reviews: "json",
  withdrawals: "json",
  found_runs: "json",
  claimants: "json",
  runs: "json",
  recalls: "json",
  undone: "json",
  dispatches: "json",
} as const;

export type PlainMoveInputName = keyof typeof PLAIN_INPUTS;
export type MoveInputName = keyof typeof INPUTS;

const ALL_EFFECTS: Effects = {
  isGuardedByRun: true,
  takesSlots: true,
  needsNoRun: true,
  hasSeveralEvents: true,
  edits: true,
  opensVersions: true,
  opensSteps: true,
  changesHolds: true,
  reviews: true,
  withdrawsReviews: true,
  changesRuns: true,
  recallsDispatches: true,
  createsDispatches: true,
  isSilent: true,
  marksDuplicates: true,
};

const NO_EFFECTS: Effects = {
  isGuardedByRun: false,
  takesSlots: false,
  needsNoRun: false,
  hasSeveralEvents: false,
  edits: false,
  opensVersions: false,
  opensSteps: false,
  changesHolds: false,
  reviews: false,
  withdrawsReviews: false,
  changesRuns: false,
  recallsDispatches: false,
  createsDispatches: false,
  isSilent: false,
  marksDuplicates: false,
};

const NO_ROWS = sql`'[]'::json`;
/** Replaces the inputs that a plain move does not have. */
const NO_INPUTS = {
  versions: NO_ROWS,
  steps: NO_ROWS,
  holds: NO_ROWS,
  reviews: NO_ROWS,
  withdrawals: NO_ROWS,
  found_runs: NO_ROWS,
  claimants: NO_ROWS,
  runs: NO_ROWS,
  recalls: NO_ROWS,
  undone: NO_ROWS,
  dispatches: NO_ROWS,
};

/** Records moves that only write one event and move a step. */
export const RECORD_PLAIN_MOVES = preparedMoves("record_plain_moves", PLAIN_INPUTS, NO_EFFECTS);

/** Records any moves. */
export const RECORD_MOVES = preparedMoves("record_moves", INPUTS, ALL_EFFECTS);

function preparedMoves<Input extends MoveInputName>(
  name: "record_plain_moves" | "record_moves",
  inputs: PreparedWrite<Input | PlainMoveInputName>["inputs"],
  effects: Effects,
): PreparedWrite<Input | PlainMoveInputName> {
  return {
    name,
    writes: true,
    inputs,
    columns: `events json, dispatched json, ${effects.recallsDispatches ? "undone json, " : ""}"hasListeners" boolean`,
    body: (input) => {
      const call = {
        ...callOfInputs(input),
        input: { ...NO_INPUTS, ...input },
        bulk: null,
      };
      return [...lockStatements(call, effects), moveStatement(call, effects)];
    },
  };
}
