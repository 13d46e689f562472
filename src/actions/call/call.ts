import type { Administration } from "../../db/administration/write-administration.ts";
import type { Operation, TenantDatabase } from "../../db/connection/client.ts";
import type { Actor, Credential } from "../../domain/actor.ts";

/** What every action receives from its caller, which may be a route, a consumer, a script or a test. */
export interface ActionCall {
  database: TenantDatabase;
  actor: Actor;
  requestId: string;
  operation: Operation;
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
