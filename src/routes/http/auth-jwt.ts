import {
  createRemoteJWKSet,
  errors,
  type JWTHeaderParameters,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from "jose";
import type { Actor, Role } from "../../domain/actor.ts";
import { identityOf, type Person } from "../../domain/person.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";
import { KEY_CACHE_SECONDS } from "./auth-api-key.ts";
import {
  type AuthDependencies,
  type Authenticated,
  type AuthFailure,
  type CallToAuthenticate,
  nameOfCredential,
  unauthenticated,
} from "./principal.ts";
import { roleOfClaim } from "./role-claim.ts";
import { emailAddress, name, subject as subjectSchema, uuid } from "./schemas.ts";
import type { TokenClaims, TokenSource } from "./token-issuers.ts";

/** Fixed, so that a token cannot choose `none`, or an HMAC with the issuer's public key as its secret. */
const TOKEN_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

/**
 * The `typ` of tokens that are accepted: none, a JWT, or an access token (RFC 9068, section 2.1). Others, such as a
 * logout token, are signed by the same issuer for another purpose (RFC 8725, section 3.11).
 */
const TOKEN_TYPES: readonly string[] = ["jwt", "at+jwt"];

const SUBJECTS_CACHED_MAX = 1000;

const UNAVAILABLE: Authenticated = {
  ok: false,
  fault: { code: "unavailable" },
  reason: "issuer_unreachable",
};

/** What a verified token says about the caller. Null means that it does not say. */
interface Claimed {
  tenantId: string;
  subject: string;
  role: Role | null;
  name: string | null;
  email: string | null;
  isEmailVerified: boolean;
  issuedAt: Date;
  expiresAt: Date;
}

/** Whom a subject identifies. A machine, whose role is `service`, is no person. */
interface KnownSubject {
  person: Person | null;
  tenantKind: TenantKind;
  /** In milliseconds since 1970. */
  cachedUntil: number;
}

/** Returns the function that authenticates a caller by a JWT of this source. */
export function jwtAuthenticator(dependencies: AuthDependencies, source: TokenSource) {
  const verify = tokenVerifier(source);
  // Keyed by everything that is stored of a person, so that changed claims are written at once.
  const cache = new Map<string, KnownSubject>();

  return async (token: string, call: CallToAuthenticate): Promise<Authenticated> => {
    const now = call.clock();
    const verified = await verify(token, now);
    if (!verified.ok) return verified.answer;
    const { claimed } = verified;
    const database = dependencies.openTenant(claimed.tenantId);
    const { tenantId, subject, role: claimedRole, expiresAt } = claimed;
    const credentialName = nameOfCredential("token", subject);

    const cacheKey = JSON.stringify([tenantId, subject, claimed.name, claimed.email, claimedRole]);
    let known = cache.get(cacheKey);
    if (known === undefined || known.cachedUntil <= now.getTime()) {
      cache.delete(cacheKey);
      const signedIn = await dependencies.signIn(database, {
        ...claimed,
        credentialName,
        requestId: call.requestId,
      });
      if (!signedIn.ok) return unauthenticated(signedIn.reason);
      const [oldest] = cache.keys();
      if (cache.size >= SUBJECTS_CACHED_MAX && oldest !== undefined) cache.delete(oldest);
      const cachedUntil = now.getTime() + KEY_CACHE_SECONDS * 1000;
      known = { person: signedIn.person, tenantKind: signedIn.tenantKind, cachedUntil };
      cache.set(cacheKey, known);
    }

    const { person, tenantKind } = known;
    const role = claimedRole ?? person?.role;
    if (role === undefined || role === null) return unauthenticated("token_role_claim");
    const actor: Actor = {
      id: subject,
      name: claimed.name ?? person?.name ?? subject,
      kind: role === "service" ? "service" : "person",
      role,
    };
    const personId = person?.id ?? null;
    return {
      ok: true,
      principal: {
        tenantId,
        tenantKind,
        actor,
        credentialName,
        identity: identityOf(credentialName, personId),
        personId,
        credential: { type: "token", expiresAt, personId, namesRole: claimedRole !== null },
        database,
        presentRole: async () => {
          if (call.clock() >= expiresAt) return null;
          if (personId === null) return role;
          const present = await dependencies.findPerson(database, personId);
          if (present?.active === true) return claimedRole ?? present.role;
          // The next request must not find what is known to be out of date.
          cache.delete(cacheKey);
          return null;
        },
        recordUse: null,
      },
    };
  };
}

type Verified = { ok: true; claimed: Claimed } | { ok: false; answer: Authenticated };

/** Returns the function that verifies a token's signature and standard claims, and reads the others. */
function tokenVerifier({ issuer, audience, jwksUrl, read }: TokenSource) {
  const keys = issuerKeys(jwksUrl);
  return async (token: string, now: Date): Promise<Verified> => {
    let payload: JWTPayload;
    let header: JWTHeaderParameters;
    try {
      const verified = await jwtVerify(token, keys, {
        algorithms: TOKEN_ALGORITHMS,
        issuer,
        audience,
        currentDate: now,
        requiredClaims: ["exp", "sub"],
      });
      payload = verified.payload;
      header = verified.protectedHeader;
    } catch (error) {
      if (error instanceof IssuerUnreachable) return { ok: false, answer: UNAVAILABLE };
      return rejected(failureOf(error));
    }
    if (!isAcceptedType(header.typ)) return rejected("token_type");
    const claims = read(payload);
    if (claims === null) return rejected("token_subject");
    return claimedBy(claims, payload, now);
  };
}

const rejected = (reason: AuthFailure): Verified => ({
  ok: false,
  answer: unauthenticated(reason),
});

function claimedBy(claims: TokenClaims, { exp = 0, iat }: JWTPayload, now: Date): Verified {
  const tenantId = uuid.safeParse(claims.tenant);
  if (!tenantId.success) return rejected("token_tenant_claim");
  const subject = subjectSchema.safeParse(claims.subject);
  if (!subject.success) return rejected("token_subject");
  const role = roleOfClaim(claims.role);
  if (role === "unknown") return rejected("token_role_claim");
  const displayName = name().safeParse(claims.name);
  const email = emailAddress.safeParse(claims.email);
  return {
    ok: true,
    claimed: {
      tenantId: tenantId.data,
      subject: subject.data,
      role: role === "none" ? null : role,
      name: displayName.success ? displayName.data : null,
      email: email.success ? email.data : null,
      isEmailVerified: claims.isEmailVerified,
      // A time in the future would keep newer tokens from changing what this one says.
      issuedAt: new Date(Math.min(dateOf(iat ?? 0).getTime(), now.getTime())),
      expiresAt: dateOf(exp),
    },
  };
}

const LAST_SECOND = Date.UTC(9999, 11, 31) / 1000;

/** Returns the date of a NumericDate (RFC 7519, section 2), which can be any number. */
function dateOf(seconds: number): Date {
  return new Date(Math.min(Math.max(seconds, 0), LAST_SECOND) * 1000);
}

/** The issuer's keys could not be fetched, which says nothing about the token. */
class IssuerUnreachable extends Error {
  override name = "IssuerUnreachable";
}

/** Returns the issuer's keys, cached for ten minutes. A token's own `jku` or `jwk` is never used. */
function issuerKeys(jwksUrl: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new IssuerUnreachable("The issuer's keys could not be fetched");
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

/** Compares as a media type, whose prefix is optional and whose case does not matter (RFC 7515, section 4.1.9). */
function isAcceptedType(typ: unknown): boolean {
  if (typ === undefined) return true;
  return (
    typeof typ === "string" && TOKEN_TYPES.includes(typ.toLowerCase().replace(/^application\//, ""))
  );
}

/** Returns which check of the library a token failed. */
function failureOf(error: unknown): AuthFailure {
  if (error instanceof errors.JWTExpired) return "token_expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    return CLAIM_FAILURES[error.claim] ?? "token_malformed";
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "token_signature";
  if (error instanceof errors.JOSEAlgNotAllowed) return "token_algorithm";
  if (error instanceof errors.JOSENotSupported) return "token_algorithm";
  if (isAboutToken(error)) return "token_key_unknown";
  return "token_malformed";
}

const CLAIM_FAILURES: Readonly<Record<string, AuthFailure>> = {
  iss: "token_issuer",
  aud: "token_audience",
  exp: "token_without_expiry",
  nbf: "token_not_yet_valid",
  sub: "token_subject",
};
