import type { ApiKey } from "../../db/tenants/api-keys.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Actor } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import type { Fault } from "./problem.ts";

/** The authenticated caller, and a database that is limited to the caller's tenant. */
export interface Principal {
  tenantId: string;
  actor: Actor;
  /** Names the credential within its tenant: in the ledger of writes, on leases and plan tokens, and to the limiter. */
  credentialName: string;
  database: TenantDatabase;
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
  | "issuer_unreachable";

export type Authenticated =
  | { ok: true; principal: Principal }
  | { ok: false; fault: Fault; reason: AuthFailure };
export type Authenticate = (headers: Headers, now: Date) => Promise<Authenticated>;

export interface AuthDependencies {
  openTenant: (tenantId: string) => TenantDatabase;
  findApiKey: (database: TenantDatabase, digest: Uint8Array) => Promise<ApiKey | null>;
  /** Whether the tenant exists. Needed only for tokens: an API key is stored in its tenant. */
  isTenantKnown: (database: TenantDatabase) => Promise<boolean>;
  tokenIssuer: TokenIssuer | null;
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
