import type { ApiKey } from "../../db/tenants/api-keys.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Actor, Credential, Role } from "../../domain/actor.ts";
import type { Person } from "../../domain/person.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";
import type { AccessApplication, TokenIssuer } from "../../env.ts";
import type { SignedIn, SignIn } from "../../actions/people/sign-in.ts";
import type { Fault } from "./problem.ts";

/** The authenticated caller, and a database that is limited to the caller's tenant. */
export interface Principal {
  tenantId: string;
  tenantKind: TenantKind;
  actor: Actor;
  /** Names the credential within its tenant: in the ledger of writes, on leases, and to the limiter. */
  credentialName: string;
  /** Who calls, whichever credential they use; see `identityOf`. */
  identity: string;
  /** Null for a machine. */
  personId: string | null;
  credential: Credential;
  database: TenantDatabase;
  /** Asks again whether the credential is valid, and returns the role that it has now; null if it has ended. */
  presentRole: () => Promise<Role | null>;
  /** Notes that an API key was used. Runs after the response. Null if that was noted recently. */
  recordUse: (() => Promise<void>) | null;
}

/**
 * Returns the name of a credential. An issuer chooses the subjects of its tokens, and could choose a key's id or the
 * name of the service itself, so they have a prefix of their own. A key's id is a UUID and needs none.
 */
export const nameOfCredential = (kind: "key" | "token", id: string): string =>
  kind === "key" ? id : `token:${id}`;

/** Why a credential was rejected. It appears in the log and in no answer. */
export type AuthFailure =
  | "credential_missing"
  | "credential_malformed"
  | "key_malformed"
  | "key_unknown"
  | "key_not_looked_up"
  | "token_not_accepted"
  | "token_malformed"
  | "token_type"
  | "token_algorithm"
  | "token_key_unknown"
  | "token_signature"
  | "token_expired"
  | "token_not_yet_valid"
  | "token_issuer"
  | "token_audience"
  | "token_without_expiry"
  | "token_subject"
  | "token_tenant_claim"
  | "token_role_claim"
  | "token_tenant_unknown"
  | "person_inactive"
  | "cross_site"
  | "issuer_unreachable";

export type Authenticated =
  | { ok: true; principal: Principal }
  | { ok: false; fault: Fault; reason: AuthFailure };

/** A request to authenticate. */
export interface CallToAuthenticate {
  method: string;
  url: string;
  headers: Headers;
  requestId: string;
  clock: () => Date;
}

export type Authenticate = (call: CallToAuthenticate) => Promise<Authenticated>;

/** The rate limits. Each counts the calls of a bucket, in the data center that the Worker runs in. */
export interface Limits {
  /** The calls of one credential, or of one address without a valid one. */
  isWithinLimit: (bucket: string) => Promise<boolean>;
  /** The keys that one address tried and that this service may not have issued. */
  mayGuess: (bucket: string) => Promise<boolean>;
}

export interface AuthDependencies {
  openTenant: (tenantId: string) => TenantDatabase;
  findApiKey: (database: TenantDatabase, digest: Uint8Array) => Promise<ApiKey | null>;
  /** Returns the role of a key that still works; null if it has ended. */
  findKeyRole: (database: TenantDatabase, keyId: string) => Promise<Role | null>;
  recordKeyUse: (database: TenantDatabase, keyId: string) => Promise<void>;
  /** Finds out who a token's subject is, and records people. */
  signIn: (database: TenantDatabase, token: SignIn) => Promise<SignedIn>;
  /** Returns a person; null if there is none with this id. */
  findPerson: (database: TenantDatabase, id: string) => Promise<Person | null>;
  tokenIssuer: TokenIssuer | null;
  accessApplication: AccessApplication | null;
  /** Web pages on these origins can write as someone whom Cloudflare Access recognizes. */
  corsOrigins: readonly string[];
  /** The secret that issued keys prove. */
  signingSecret: string;
  limits: Limits;
}

/** Rejects a credential. Unless there was none to judge, the answer says that it is invalid, but not why. */
export const unauthenticated = (reason: AuthFailure): Authenticated => ({
  ok: false,
  fault:
    reason === "credential_missing"
      ? { code: "unauthenticated" }
      : { code: "unauthenticated", challenge: "invalid_token" },
  reason,
});
/** The key was not looked up, because its address or itself was tried too often. */
export const GUESSED_TOO_OFTEN: Authenticated = {
  ok: false,
  fault: { code: "rate_limited" },
  reason: "key_not_looked_up",
};

/**
 * Returns the caller's address for a limit. An IPv6 address counts as its /64, which is what one customer gets. The
 * platform sets the header, so a caller cannot choose it.
 */
export function addressOf(headers: Headers): string {
  const address = headers.get("cf-connecting-ip") ?? "unknown";
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0");
  return [...groups, ...(tail === undefined ? [] : zeros), ...rest].slice(0, 4).join(":");
}
