import type { Operation, TenantDatabase } from "../../db/connection/client.ts";
import type { Actor } from "../../domain/actor.ts";

/** What every action knows of its caller, whoever that is: a route, a consumer, a seed, a test. */
export interface ActionCall {
  database: TenantDatabase;
  actor: Actor;
  requestId: string;
  operation: Operation;
}

/** A call that may be bound to one state of the task, by `If-Match`. */
export interface ConditionalCall extends ActionCall {
  ifMatch: number | null;
}

/** What an action did, or found done by an earlier call with the same key. */
export interface Done<Value> {
  value: Value;
  replayed: boolean;
}
