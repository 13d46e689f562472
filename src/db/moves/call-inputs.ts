import type { SQL } from "drizzle-orm";
import type { InputValue } from "../connection/prepared.ts";
import type { EventSource } from "../history/event-ctes.ts";
import type { MoveCall } from "./move-input.ts";

/** The inputs of a prepared statement that come from the call: who writes, and what a repeat is answered with. */
export const CALL_INPUTS = {
  actor_id: "text",
  actor_name: "text",
  actor_kind: "text",
  actor_role: "text",
  request_id: "text",
  registry_version: "integer",
  answer: "json",
  is_kept_if_empty: "boolean",
} as const;

/** Returns the values of the inputs, all but the answer. */
export function callInputs({
  actor,
  requestId,
  registryVersion,
  isKeptIfEmpty,
}: Omit<EventSource, "operation"> & Pick<MoveCall, "isKeptIfEmpty">): Readonly<
  Record<Exclude<keyof typeof CALL_INPUTS, "answer">, InputValue>
> {
  return {
    actor_id: actor.id,
    actor_name: actor.name,
    actor_kind: actor.kind,
    actor_role: actor.role,
    request_id: requestId,
    registry_version: registryVersion,
    is_kept_if_empty: isKeptIfEmpty,
  };
}

/** Returns the call as the inputs of a statement, from the parameters of a prepared one. */
export function callOfInputs(
  input: Readonly<Record<keyof typeof CALL_INPUTS | "tenant_id" | "operation_id", SQL>>,
) {
  return {
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
  };
}
