import type { Actor } from "../../domain/actor.ts";
import { identityOf } from "../../domain/person.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";
import {
  addressOf,
  type AuthDependencies,
  type Authenticated,
  type CallToAuthenticate,
  GUESSED_TOO_OFTEN,
  nameOfCredential,
  unauthenticated,
} from "./principal.ts";

export const API_KEY_PREFIX = "slg_";

/**
 * How long a valid credential is cached. One that has ended can be accepted for this long, but not for administration.
 */
export const KEY_CACHE_SECONDS = 30;
/** How long a wrong key is not looked up again. A key is stored before anyone learns it, so it never becomes valid. */
export const WRONG_KEY_SECONDS = 10;
const KEYS_CACHED_MAX = 1000;

/** The holder of a key. */
interface Holder {
  actor: Actor;
  personId: string | null;
  tenantKind: TenantKind;
}

/** What an isolate found out about a key. */
interface CachedKey {
  /** Null if there is no such key. */
  holder: Holder | null;
  /** After this, the key is looked up again. In milliseconds since 1970, and never later than the key's own end. */
  expiresAt: number;
}

/**
 * Returns the function that authenticates a caller by an API key. A key that is not cached costs a round trip, so the
 * limiter is asked first (ADR 0030). An address may try a few keys that this service may not have issued. A key that
 * has a valid proof, or was valid before, is limited only by itself: a flood of guesses cannot lock it out.
 */
export function apiKeyAuthenticator(dependencies: AuthDependencies) {
  const { openTenant, findApiKey, findKeyRole, recordKeyUse, signingSecret, limits } = dependencies;
  // Keyed by digest, so that no secret outlives its request. Guesses are kept apart, so that they cannot displace keys.
  const valid = new RecentKeys();
  const wrong = new RecentKeys();
  const lookups = new Lookups();

  const mayLookUp = async (key: KeyParts, digest: string, headers: Headers): Promise<boolean> => {
    if (!valid.has(digest)) {
      // Loaded with the first key that is not cached.
      const { isMinted } = await import("../../actions/keys/mint-key.ts");
      if (!isMinted(key, signingSecret)) return limits.mayGuess(`guess:${addressOf(headers)}`);
    }
    return limits.isWithinLimit(`lookup:${digest}`);
  };

  return async (
    credential: string,
    { headers, clock }: CallToAuthenticate,
  ): Promise<Authenticated> => {
    const now = clock();
    const parts = partsOf(credential);
    if (parts === null) return unauthenticated("key_malformed");
    const { tenantId } = parts;
    const digest = await sha256(credential);
    const cacheKey = hex(digest);
    const database = openTenant(tenantId);
    const admitted = (
      { actor, personId, tenantKind }: Holder,
      isUseDue: boolean,
    ): Authenticated => ({
      ok: true,
      principal: {
        tenantId,
        tenantKind,
        actor,
        credentialName: nameOfCredential("key", actor.id),
        identity: identityOf(nameOfCredential("key", actor.id), personId),
        personId,
        credential: { type: "key", keyId: actor.id },
        database,
        presentRole: async () => {
          const role = await findKeyRole(database, actor.id);
          // The next request must not find what is known to be out of date.
          if (role !== actor.role) valid.delete(cacheKey);
          return role;
        },
        recordUse: isUseDue ? () => recordKeyUse(openTenant(tenantId), actor.id) : null,
      },
    });

    for (;;) {
      const cached = valid.fresh(cacheKey, now) ?? wrong.fresh(cacheKey, now);
      if (cached !== undefined) {
        return cached.holder ? admitted(cached.holder, false) : unauthenticated("key_unknown");
      }
      // The lookup begins in the same step as this look, so that no other call begins one in between.
      if (!lookups.isRunning(cacheKey)) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return lookups.run(cacheKey, async () => {
      if (!(await mayLookUp(parts, cacheKey, headers))) return GUESSED_TOO_OFTEN;
      const key = await findApiKey(database, digest);
      if (key === null || !isEqual(key.digest, digest)) {
        valid.delete(cacheKey);
        wrong.set(cacheKey, { holder: null, expiresAt: now.getTime() + WRONG_KEY_SECONDS * 1000 });
        return unauthenticated("key_unknown");
      }
      const kind = key.role === "service" ? "service" : "key";
      const actor: Actor = { id: key.id, name: key.name, kind, role: key.role };
      const expiresAt = Math.min(
        now.getTime() + KEY_CACHE_SECONDS * 1000,
        key.expiresAt === null ? Infinity : Date.parse(key.expiresAt),
      );
      const holder = { actor, personId: key.personId, tenantKind: key.tenantKind };
      valid.set(cacheKey, { holder, expiresAt });
      return admitted(holder, key.isUseDue);
    });
  };
}

/** The keys that an isolate saw last, by digest. */
class RecentKeys {
  readonly #keys = new Map<string, CachedKey>();

  has(digest: string): boolean {
    return this.#keys.has(digest);
  }

  /** Returns what is known about a key, unless it has to be looked up again. */
  fresh(digest: string, now: Date): CachedKey | undefined {
    const cached = this.#keys.get(digest);
    return cached !== undefined && cached.expiresAt > now.getTime() ? cached : undefined;
  }

  set(digest: string, key: CachedKey): void {
    this.#keys.delete(digest);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size >= KEYS_CACHED_MAX && oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.set(digest, key);
  }

  delete(digest: string): void {
    this.#keys.delete(digest);
  }
}

const POLL_MS = 5;
/** A lookup that takes longer belonged to a request that was cancelled. */
const LOOKUP_MS_MAX = 10_000;

/**
 * The lookups in progress, by digest. Many calls with one key can arrive at a cold isolate, and only the first looks it
 * up. The others poll: workerd ties a promise to the request that created it.
 */
class Lookups {
  /** The lookups by digest, with the time after which they count as cancelled. */
  readonly #running = new Map<string, number>();

  isRunning(digest: string): boolean {
    const until = this.#running.get(digest);
    return until !== undefined && performance.now() < until;
  }

  async run<Result>(digest: string, lookUp: () => Promise<Result>): Promise<Result> {
    const until = performance.now() + LOOKUP_MS_MAX;
    this.#running.set(digest, until);
    try {
      return await lookUp();
    } finally {
      if (this.#running.get(digest) === until) this.#running.delete(digest);
    }
  }
}

interface KeyParts {
  /** Only selects the tenant to search, and proves nothing. */
  tenantId: string;
  secret: string;
}

function partsOf(key: string): KeyParts | null {
  const [, digits, secret] = /^slg_([0-9a-f]{32})_([A-Za-z0-9_-]+)$/.exec(key) ?? [];
  if (digits === undefined || secret === undefined) return null;
  return { tenantId: digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"), secret };
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
