import type { ApiKey } from "../../db/tenants/api-keys.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Actor } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import type { Fault } from "./problem.ts";

/** The authenticated caller, and a database that is limited to the caller's tenant. */
export interface Principal {
  tenantId: string;
  actor: Actor;
  database: TenantDatabase;
}

export type Authenticated = { ok: true; principal: Principal } | { ok: false; fault: Fault };
export type Authenticate = (headers: Headers, now: Date) => Promise<Authenticated>;

export interface AuthDependencies {
  openTenant: (tenantId: string) => TenantDatabase;
  findApiKey: (database: TenantDatabase, digest: Uint8Array) => Promise<ApiKey | null>;
  /** Whether the tenant exists. Needed only for tokens: an API key is stored in its tenant. */
  isTenantKnown: (database: TenantDatabase) => Promise<boolean>;
  tokenIssuer: TokenIssuer | null;
}

export const UNAUTHENTICATED: Authenticated = { ok: false, fault: { code: "unauthenticated" } };
