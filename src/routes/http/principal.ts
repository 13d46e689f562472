import type { ApiKey } from "../../db/tenants/api-keys.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Actor } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import type { Fault } from "./problem.ts";

/** Who calls, and the tenant whose rows the call may touch. */
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
  /** A key proves its tenant by being stored there; of a token's tenant the database must be asked. */
  isTenantKnown: (database: TenantDatabase) => Promise<boolean>;
  tokenIssuer: TokenIssuer | null;
}

export const UNAUTHENTICATED: Authenticated = { ok: false, fault: { code: "unauthenticated" } };
