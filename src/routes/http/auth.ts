import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import type { ApiKey } from "../../db/api-keys.ts";
import type { TenantDatabase } from "../../db/client.ts";
import { type Actor, ROLES, type Role } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import type { Fault } from "./problem.ts";
import { name, uuid } from "./schemas.ts";

/** A key that was good may be taken for good this long without asking again: DELETE of a key says so. */
export const KEY_CACHE_SECONDS = 30;
const KEYS_CACHED_MAX = 1000;
/** Fixed, so that a token cannot choose: no `none`, and no HMAC with a public key as its secret. */
const TOKEN_ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const CREDENTIAL_LENGTH_MAX = 8192;

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

/**
 * Makes the function that tells who calls. Every failure has the one answer `unauthenticated`, so that nobody
 * learns which part was wrong; only an issuer that cannot be asked is `unavailable`.
 */
export function createAuthenticator(dependencies: AuthDependencies): Authenticate {
  const byKey = keyAuthenticator(dependencies);
  const byToken = tokenAuthenticator(dependencies);
  return async (headers, now) => {
    const credential = bearerCredential(headers);
    if (credential === null) return UNAUTHENTICATED;
    return credential.startsWith(KEY_PREFIX) ? byKey(credential, now) : byToken(credential, now);
  };
}

const UNAUTHENTICATED: Authenticated = { ok: false, fault: { code: "unauthenticated" } };
const UNAVAILABLE: Authenticated = { ok: false, fault: { code: "unavailable" } };

function bearerCredential(headers: Headers): string | null {
  const [, credential] = /^bearer +([\x21-\x7e]+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  return credential === undefined || credential.length > CREDENTIAL_LENGTH_MAX ? null : credential;
}

const KEY_PREFIX = "slg_";

interface CachedKey {
  actor: Actor;
  expiresAt: number;
}

function keyAuthenticator({ openTenant, findApiKey }: AuthDependencies) {
  // By digest, so that no secret outlives its request; only keys that were good, so that guesses fill nothing.
  const cache = new Map<string, CachedKey>();

  return async (credential: string, now: Date): Promise<Authenticated> => {
    const tenantId = tenantOfKey(credential);
    if (tenantId === null) return UNAUTHENTICATED;
    const digest = await sha256(credential);
    const cacheKey = hex(digest);
    const database = openTenant(tenantId);

    const cached = cache.get(cacheKey);
    if (cached !== undefined && cached.expiresAt > now.getTime()) {
      return { ok: true, principal: { tenantId, actor: cached.actor, database } };
    }
    cache.delete(cacheKey);

    const key = await findApiKey(database, digest);
    if (key === null || !isEqual(key.digest, digest)) return UNAUTHENTICATED;
    const kind = key.role === "service" ? "service" : "key";
    const actor: Actor = { id: key.id, name: key.name, kind, role: key.role };
    const expiresAt = now.getTime() + KEY_CACHE_SECONDS * 1000;
    const [oldest] = cache.keys();
    if (cache.size >= KEYS_CACHED_MAX && oldest !== undefined) cache.delete(oldest);
    cache.set(cacheKey, { actor, expiresAt });
    return { ok: true, principal: { tenantId, actor, database } };
  };
}

/** The tenant that a key names; it chooses where to look, and proves nothing. */
function tenantOfKey(key: string): string | null {
  const [, digits] = /^slg_([0-9a-f]{32})_[A-Za-z0-9_-]+$/.exec(key) ?? [];
  return digits?.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") ?? null;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares in the same time wherever the first difference stands. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  const difference = one.reduce((bits, byte, index) => bits | (byte ^ (other[index] ?? 0)), 0);
  return difference === 0;
}

function tokenAuthenticator({ openTenant, isTenantKnown, tokenIssuer }: AuthDependencies) {
  if (tokenIssuer === null) return async (): Promise<Authenticated> => UNAUTHENTICATED;
  const { issuer, audience, jwksUrl, tenantClaim, roleClaim } = tokenIssuer;
  const keys = issuerKeys(jwksUrl);
  // Tenants are never removed, so one that was there once need not be looked for again.
  const known = new Set<string>();

  return async (token: string, now: Date): Promise<Authenticated> => {
    let claims: JWTPayload;
    try {
      const verified = await jwtVerify(token, keys, {
        algorithms: TOKEN_ALGORITHMS,
        issuer,
        audience,
        currentDate: now,
        requiredClaims: ["exp", "sub"],
      });
      claims = verified.payload;
    } catch (error) {
      return error instanceof IssuerAway ? UNAVAILABLE : UNAUTHENTICATED;
    }
    const tenantId = uuid.safeParse(claims[tenantClaim]);
    const subject = name().safeParse(claims.sub);
    const role = claims[roleClaim];
    if (!tenantId.success || !subject.success || !isRole(role)) return UNAUTHENTICATED;
    const displayName = name().safeParse(claims["name"]);
    const actor: Actor = {
      id: subject.data,
      name: displayName.success ? displayName.data : subject.data,
      kind: role === "service" ? "service" : "person",
      role,
    };
    const database = openTenant(tenantId.data);
    if (!known.has(tenantId.data) && !(await isTenantKnown(database))) return UNAUTHENTICATED;
    known.add(tenantId.data);
    return { ok: true, principal: { tenantId: tenantId.data, actor, database } };
  };
}

/** The issuer's keys could not be had, which says nothing about the token. */
class IssuerAway extends Error {
  override name = "IssuerAway";
}

/** The issuer's keys, kept for ten minutes; a token's own `jku` or `jwk` is never looked at. */
function issuerKeys(jwksUrl: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      throw isAboutToken(error) ? error : new IssuerAway("The issuer's keys could not be had");
    }
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function isRole(claim: unknown): claim is Role {
  return (ROLES as readonly unknown[]).includes(claim);
}
