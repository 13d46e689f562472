import { sql } from "drizzle-orm";
import { type Effects, lockStatements, moveStatement } from "./move-statement.ts";
import type { PreparedWrite } from "../connection/prepared.ts";

// The one writer's statement as the database bears it. There are two, since what a plain move never does would cost it
// half as much again.

const PLAIN_INPUTS = {
  actor_name: "text",
  actor_kind: "text",
  actor_role: "text",
  request_id: "text",
  registry_version: "integer",
  answer: "json",
  is_kept_if_empty: "boolean",
  moves: "json",
  events: "json",
} as const;

const INPUTS = {
  ...PLAIN_INPUTS,
  versions: "json",
  steps: "json",
  reviews: "json",
  found_runs: "json",
  runs: "json",
  recalls: "json",
  undone: "json",
  dispatches: "json",
} as const;

export type PlainMoveInputName = keyof typeof PLAIN_INPUTS;
export type MoveInputName = keyof typeof INPUTS;

const EVERYTHING: Effects = {
  isGuardedByRun: true,
  tellsMore: true,
  edits: true,
  opensVersion: true,
  opensStep: true,
  reviews: true,
  reports: true,
  callsBack: true,
  asks: true,
  isSilent: true,
};

const NOTHING_ELSE: Effects = {
  isGuardedByRun: false,
  tellsMore: false,
  edits: false,
  opensVersion: false,
  opensStep: false,
  reviews: false,
  reports: false,
  callsBack: false,
  asks: false,
  isSilent: false,
};

const NO_ROWS = sql`'[]'::json`;
/** What stands in place of the inputs that a plain move has not. */
const NOTHING_TO_READ = {
  versions: NO_ROWS,
  steps: NO_ROWS,
  reviews: NO_ROWS,
  found_runs: NO_ROWS,
  runs: NO_ROWS,
  recalls: NO_ROWS,
  undone: NO_ROWS,
  dispatches: NO_ROWS,
};

/** Records moves that do nothing but to write their event and to move their step. */
export const RECORD_PLAIN_MOVES = preparedMoves("record_plain_moves", PLAIN_INPUTS, NOTHING_ELSE);

/** Records moves of any kind. */
export const RECORD_MOVES = preparedMoves("record_moves", INPUTS, EVERYTHING);

function preparedMoves<Input extends MoveInputName>(
  name: "record_plain_moves" | "record_moves",
  inputs: PreparedWrite<Input | PlainMoveInputName>["inputs"],
  does: Effects,
): PreparedWrite<Input | PlainMoveInputName> {
  return {
    name,
    writes: true,
    inputs,
    columns: `events json, dispatched json, "hasListeners" boolean`,
    body: (input) => {
      const call = {
        tenantId: input.tenant_id,
        actor: {
          id: input.actor_id,
          name: input.actor_name,
          kind: input.actor_kind,
          role: input.actor_role,
        },
        operation: { id: input.operation_id },
        requestId: input.request_id,
        registryVersion: input.registry_version,
        answer: input.answer,
        isKeptIfEmpty: input.is_kept_if_empty,
        input: { ...NOTHING_TO_READ, ...input },
        bulk: null,
      };
      return [...lockStatements(call, does), moveStatement(call, does)];
    },
  };
}
