import type { Administration } from "../../db/administration/write-administration.ts";
import type { Operation, TenantDatabase } from "../../db/connection/client.ts";
import type { Actor, Credential } from "../../domain/actor.ts";

/** What every action receives from its caller, which may be a route, a consumer, a script or a test. */
export interface ActionCall {
  database: TenantDatabase;
  actor: Actor;
  requestId: string;
  operation: Operation;
  /**
   * Makes the id of something that the call creates, from two numbers: that of the item in an import, an evaluation or a
   * list of moves (0 in other calls), and how many ids the item has had. Random ones by default. Must be a UUIDv7,
   * different for each pair of numbers.
   */
  newId?: ((item: number, number: number) => string) | undefined;
}

/** A call that administers the tenant. Its credential is asked for afresh by the write. */
export interface AdministrativeCall extends ActionCall {
  credential: Credential;
}

/** Returns what an administrative write records about its call. */
export function administrationOf(
  { actor, credential, operation, requestId }: AdministrativeCall,
  reason: string | undefined,
): Administration {
  return { actor, credential, operation, requestId, reason: reason ?? null };
}

/** A call that may require one state of the task, with `If-Match`. */
export interface ConditionalCall extends ActionCall {
  /** The task's event seq that the caller expects; null if any will do. */
  ifMatch: number | null;
}

/** The value of an action, and whether an earlier call with the same key produced it. */
export interface Done<Value> {
  value: Value;
  replayed: boolean;
}
