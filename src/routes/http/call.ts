import type { Done } from "../../actions/call/call.ts";
import type { TokenSigner } from "../../actions/call/signed-token.ts";
import type { Operation, TenantDatabase } from "../../db/connection/client.ts";
import type { Actor, Credential } from "../../domain/actor.ts";
import type { Outcome, Refusal } from "../../domain/refusals.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";
import type { Settings } from "../../env.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import type { BlobStore } from "../../storage/blobs.ts";
import type { CheckReadiness } from "./readiness.ts";
import type { LargeCalls } from "./turns.ts";

/** The context of an authenticated call. The tenant and the actor come only from the credential. */
export interface Call extends PublicCall {
  tenantId: string;
  tenantKind: TenantKind;
  actor: Actor;
  /** These three say who calls; see `Principal`. */
  credentialName: string;
  identity: string;
  personId: string | null;
  credential: Credential;
  database: TenantDatabase;
  /**
   * Returns a refusal once the caller is no longer admitted: the key was revoked, the credential has expired, or the
   * role is not enough any more. A call that takes long asks it again and again; it queries every 15 seconds.
   */
  checkCaller: () => Promise<Refusal | null>;
  /** The operation under which this call writes. Its fingerprint is empty without an idempotency key. */
  operation: Operation;
  /** The event seq in `If-Match`. */
  ifMatch: number | null;
}

/** The context of a call to a public route. */
export interface PublicCall {
  requestId: string;
  now: Date;
  settings: Settings;
  signer: TokenSigner;
  checkReadiness: CheckReadiness;
  /** Aborts when the client disconnects. */
  signal: AbortSignal;
  /** `Last-Event-ID`: the last event that a reader of server-sent events received. */
  lastEventId: string | null;
  /** `Range` of a GET. A route can ignore it and return the whole content. */
  range: string | null;
  /** `If-Range`: the entity tag of the parts that the client already has. */
  ifRange: string | null;
  /** Whether `If-None-Match` names this entity tag, so that the response is 304. */
  isKnown: (entityTag: string) => boolean;
  blobs: BlobStore;
  /** The turns of calls that need much memory. */
  large: LargeCalls;
  /** Lets work go on if the client disconnects. */
  waitUntil: (work: Promise<unknown>) => void;
  /** Sends requests to tenants' systems. Treats the host of this request as one of the service's own. */
  outbound: Outbound;
}

/** A successful response. */
export interface Reply<Value> {
  ok: true;
  value: Value;
  /** The event seq that becomes the response's entity tag. */
  etag?: number;
  headers?: Record<string, string>;
  /** The status, if it is that of the contract's `alternative`. */
  status?: number;
  /** Whether this is the result of an earlier call with the same idempotency key. */
  replayed?: boolean;
}

export type Answer<Value> = Reply<Value> | { ok: false; refusal: Refusal };

/** Returns a success with the contract's status, unless `extras` overrides it. */
export function reply<Value>(
  value: Value,
  extras: Omit<Reply<Value>, "ok" | "value"> = {},
): Reply<Value> {
  return { ok: true, value, ...extras };
}

/** Returns the response to an action's outcome: its result, new or replayed, or its refusal. */
export function replyTo<Value>(
  outcome: Outcome<Done<Value>>,
  extras: (value: Value) => Pick<Reply<Value>, "etag" | "headers" | "status"> = () => ({}),
): Answer<Value> {
  if (!outcome.ok) return outcome;
  const { value, replayed } = outcome.value;
  return reply(value, { ...extras(value), replayed });
}

/**
 * Runs the part of a call that needs much memory, when it is its turn. The part runs to its end even if the client
 * disconnects, so that it returns its turn.
 * @throws TurnsTaken if there are too many such calls: 503.
 */
export function takeTurn<Result>(
  { large, waitUntil }: Pick<PublicCall, "large" | "waitUntil">,
  kind: keyof LargeCalls,
  work: () => Promise<Result>,
): Promise<Result> {
  const done = large[kind].use(work);
  waitUntil(done.catch(() => {}));
  return done;
}
