import { type Effects, lockStatements, moveStatement } from "./move-statement.ts";
import type { PreparedWrite } from "./prepared.ts";

// The one writer's statement as the database bears it. There are two, since what a plain move never does would cost it
// half as much again.

const INPUTS = {
  actor_name: "text",
  actor_kind: "text",
  actor_role: "text",
  request_id: "text",
  registry_version: "integer",
  answer: "json",
  is_kept_if_empty: "boolean",
  moves: "json",
  events: "json",
  versions: "json",
  steps: "json",
  reviews: "json",
  found_runs: "json",
  runs: "json",
  recalls: "json",
  undone: "json",
  dispatches: "json",
} as const;

export type MoveInputName = keyof typeof INPUTS;

const EVERYTHING: Effects = {
  isGuardedByRun: true,
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
  opensVersion: false,
  opensStep: false,
  reviews: false,
  reports: false,
  callsBack: false,
  asks: false,
  isSilent: false,
};

/** Records moves that do nothing but to write their events and to move their steps. */
export const RECORD_PLAIN_MOVES = preparedMoves("record_plain_moves", NOTHING_ELSE);

/** Records moves of any kind. */
export const RECORD_MOVES = preparedMoves("record_moves", EVERYTHING);

function preparedMoves(
  name: "record_plain_moves" | "record_moves",
  does: Effects,
): PreparedWrite<MoveInputName> {
  return {
    name,
    writes: true,
    inputs: INPUTS,
    columns: `events json, dispatched json, "isHeard" boolean`,
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
        input,
        bulk: null,
      };
      return [...lockStatements(call, does), moveStatement(call, does)];
    },
  };
}
