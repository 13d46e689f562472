import type { Actor } from "../../domain/actor.ts";
import {
  type AuthDependencies,
  type Authenticated,
  nameOfCredential,
  unauthenticated,
} from "./principal.ts";

export const API_KEY_PREFIX = "slg_";

/** How long a valid key is cached. A revoked key can be accepted for this long, as the DELETE of a key documents. */
export const KEY_CACHE_SECONDS = 30;
const KEYS_CACHED_MAX = 1000;

interface CachedKey {
  actor: Actor;
  expiresAt: number;
}

/** Returns the function that authenticates a caller by an API key. */
export function apiKeyAuthenticator({ openTenant, findApiKey }: AuthDependencies) {
  // Keyed by digest, so that no secret outlives its request. Holds only valid keys, so that guesses cannot fill it.
  const cache = new Map<string, CachedKey>();

  return async (credential: string, now: Date): Promise<Authenticated> => {
    const tenantId = tenantOfKey(credential);
    if (tenantId === null) return unauthenticated("key_malformed");
    const digest = await sha256(credential);
    const cacheKey = hex(digest);
    const database = openTenant(tenantId);
    const admitted = (actor: Actor): Authenticated => ({
      ok: true,
      principal: { tenantId, actor, credentialName: nameOfCredential("key", actor.id), database },
    });

    const cached = cache.get(cacheKey);
    if (cached !== undefined && cached.expiresAt > now.getTime()) {
      return admitted(cached.actor);
    }
    cache.delete(cacheKey);

    const key = await findApiKey(database, digest);
    if (key === null || !isEqual(key.digest, digest)) return unauthenticated("key_unknown");
    const kind = key.role === "service" ? "service" : "key";
    const actor: Actor = { id: key.id, name: key.name, kind, role: key.role };
    const expiresAt = now.getTime() + KEY_CACHE_SECONDS * 1000;
    const [oldest] = cache.keys();
    if (cache.size >= KEYS_CACHED_MAX && oldest !== undefined) cache.delete(oldest);
    cache.set(cacheKey, { actor, expiresAt });
    return admitted(actor);
  };
}

/** Returns the tenant id in the key. It only selects the tenant to search, and proves nothing. */
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

/** Compares in constant time. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  const difference = one.reduce((bits, byte, index) => bits | (byte ^ (other[index] ?? 0)), 0);
  return difference === 0;
}
