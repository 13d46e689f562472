import type { Actor } from "../../domain/actor.ts";
import {
  type AuthDependencies,
  type Authenticate,
  type Authenticated,
  UNAUTHENTICATED,
} from "./principal.ts";
import type { tokenAuthenticator } from "./tokens.ts";

/** A key that was good may be taken for good this long without asking again: DELETE of a key says so. */
export const KEY_CACHE_SECONDS = 30;
const KEYS_CACHED_MAX = 1000;
const CREDENTIAL_LENGTH_MAX = 8192;

/**
 * Makes the function that tells who calls. Every failure has the one answer `unauthenticated`, so that nobody
 * learns which part was wrong; only an issuer that cannot be asked is `unavailable`.
 */
export function createAuthenticator(dependencies: AuthDependencies): Authenticate {
  const byKey = keyAuthenticator(dependencies);
  const byToken = tokenReader(dependencies);
  return async (headers, now) => {
    const credential = bearerCredential(headers);
    if (credential === null) return UNAUTHENTICATED;
    return credential.startsWith(KEY_PREFIX) ? byKey(credential, now) : byToken(credential, now);
  };
}

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

/** What reads tokens is loaded with the first of them: most callers have keys. */
function tokenReader(dependencies: AuthDependencies) {
  const { tokenIssuer } = dependencies;
  if (tokenIssuer === null) return async (): Promise<Authenticated> => UNAUTHENTICATED;
  let byToken: ReturnType<typeof tokenAuthenticator> | undefined;
  return async (token: string, now: Date): Promise<Authenticated> => {
    // The function is kept, not the promise of it: that would belong to the request which asked first.
    const tokens = await import("./tokens.ts");
    byToken ??= tokens.tokenAuthenticator(dependencies, tokenIssuer);
    return byToken(token, now);
  };
}
