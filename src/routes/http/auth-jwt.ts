import {
  createRemoteJWKSet,
  errors,
  type JWTHeaderParameters,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from "jose";
import { type Actor, ROLES, type Role } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import {
  type AuthDependencies,
  type Authenticated,
  type AuthFailure,
  nameOfCredential,
  unauthenticated,
} from "./principal.ts";
import { name, uuid } from "./schemas.ts";

/** Fixed, so that a token cannot choose `none`, or an HMAC with the issuer's public key as its secret. */
const TOKEN_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

/**
 * The `typ` of tokens that are accepted: none, a JWT, or an access token (RFC 9068, section 2.1). Others, such as a
 * logout token, are signed by the same issuer for another purpose (RFC 8725, section 3.11).
 */
const TOKEN_TYPES: readonly string[] = ["jwt", "at+jwt"];

/** OpenID Connect Core 1.0, section 2. */
const SUBJECT_LENGTH_MAX = 255;

const UNAVAILABLE: Authenticated = {
  ok: false,
  fault: { code: "unavailable" },
  reason: "issuer_unreachable",
};

/** Returns the function that authenticates a caller by a JWT of the configured issuer. */
export function jwtAuthenticator(
  { openTenant, isTenantKnown }: AuthDependencies,
  tokenIssuer: TokenIssuer,
) {
  const { issuer, audience, jwksUrl, tenantClaim, roleClaim } = tokenIssuer;
  const keys = issuerKeys(jwksUrl);
  // Never invalidated, because tenants are never deleted.
  const knownTenants = new Set<string>();

  return async (token: string, clock: () => Date): Promise<Authenticated> => {
    let claims: JWTPayload;
    let header: JWTHeaderParameters;
    try {
      const verified = await jwtVerify(token, keys, {
        algorithms: TOKEN_ALGORITHMS,
        issuer,
        audience,
        currentDate: clock(),
        requiredClaims: ["exp", "sub"],
      });
      claims = verified.payload;
      header = verified.protectedHeader;
    } catch (error) {
      return error instanceof IssuerUnreachable ? UNAVAILABLE : unauthenticated(failureOf(error));
    }
    if (!isAcceptedType(header.typ)) return unauthenticated("token_type");
    const tenantId = uuid.safeParse(claims[tenantClaim]);
    if (!tenantId.success) return unauthenticated("token_tenant_claim");
    const subject = name(SUBJECT_LENGTH_MAX).safeParse(claims.sub);
    if (!subject.success) return unauthenticated("token_subject");
    const role = claims[roleClaim];
    if (!isRole(role)) return unauthenticated("token_role_claim");
    const displayName = name().safeParse(claims["name"]);
    const actor: Actor = {
      id: subject.data,
      name: displayName.success ? displayName.data : subject.data,
      kind: role === "service" ? "service" : "person",
      role,
    };
    // jwtVerify requires `exp`, in seconds.
    const credential = { type: "token", expiresAt: new Date((claims.exp ?? 0) * 1000) } as const;
    const database = openTenant(tenantId.data);
    if (!knownTenants.has(tenantId.data) && !(await isTenantKnown(database))) {
      return unauthenticated("token_tenant_unknown");
    }
    knownTenants.add(tenantId.data);
    return {
      ok: true,
      principal: {
        tenantId: tenantId.data,
        actor,
        credentialName: nameOfCredential("token", subject.data),
        credential,
        database,
        presentRole: async () => (clock() < credential.expiresAt ? role : null),
        recordUse: null,
      },
    };
  };
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

function isRole(claim: unknown): claim is Role {
  return (ROLES as readonly unknown[]).includes(claim);
}
