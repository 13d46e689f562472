import type { Done } from "../../actions/call/call.ts";
import type { TokenSigner } from "../../actions/call/signed-token.ts";
import type { Operation, TenantDatabase } from "../../db/connection/client.ts";
import type { Actor } from "../../domain/actor.ts";
import type { Outcome, Refusal } from "../../domain/refusals.ts";
import type { Settings } from "../../env.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import type { BlobStore } from "../../storage/blobs.ts";

/** All that a route knows of its caller: tenant and actor come from the credential alone. */
export interface Call extends PublicCall {
  tenantId: string;
  actor: Actor;
  database: TenantDatabase;
  /** The write that this call would be; its fingerprint is empty where the route keeps no operation. */
  operation: Operation;
  /** The event seq that `If-Match` named. */
  ifMatch: number | null;
}

/** What a route knows that anybody may call. */
export interface PublicCall {
  requestId: string;
  now: Date;
  settings: Settings;
  signer: TokenSigner;
  isDatabaseReady: () => Promise<boolean>;
  /** Aborted when the client has gone: nobody waits for the answer, or for the rest of it. */
  signal: AbortSignal;
  /** `Last-Event-ID`: where a reader of server-sent events broke off. */
  lastEventId: string | null;
  /** `Range`, which only GET may ask with: the part that is wanted; it may always be answered with the whole. */
  range: string | null;
  /** `If-Range`: what the parts that the client has are of. */
  ifRange: string | null;
  /** Whether `If-None-Match` names this entity tag: then the answer is that nothing has changed. */
  isKnown: (entityTag: string) => boolean;
  blobs: BlobStore;
  /** The way out to tenants' own systems, to which the host that was asked is one of the service's own. */
  outbound: Outbound;
}

/** A success: what it tells, and how. */
export interface Reply<Value> {
  ok: true;
  value: Value;
  /** The task's event seq: the answer's entity tag. */
  etag?: number;
  headers?: Record<string, string>;
  /** The status of the contract's alternative, where that is the answer. */
  status?: number;
  /** Whether an earlier call with the same Idempotency-Key did it. */
  replayed?: boolean;
}

export type Answer<Value> = Reply<Value> | { ok: false; refusal: Refusal };

/** A success with the route's own status, unless the extras say otherwise. */
export function reply<Value>(
  value: Value,
  extras: Omit<Reply<Value>, "ok" | "value"> = {},
): Reply<Value> {
  return { ok: true, value, ...extras };
}

/** The answer to what an action did, found done, or refused; `extras` may look at what was done. */
export function replyTo<Value>(
  outcome: Outcome<Done<Value>>,
  extras: (value: Value) => Pick<Reply<Value>, "etag" | "headers" | "status"> = () => ({}),
): Answer<Value> {
  if (!outcome.ok) return outcome;
  const { value, replayed } = outcome.value;
  return reply(value, { ...extras(value), replayed });
}
