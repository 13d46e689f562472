import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { type Actor, ROLES, type Role } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import { type AuthDependencies, type Authenticated, UNAUTHENTICATED } from "./principal.ts";
import { name, uuid } from "./schemas.ts";

/** Fixed, so that a token cannot choose `none`, or an HMAC with the issuer's public key as its secret. */
const TOKEN_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

const UNAVAILABLE: Authenticated = { ok: false, fault: { code: "unavailable" } };

/** Returns the function that authenticates a caller by a JWT of the configured issuer. */
export function jwtAuthenticator(
  { openTenant, isTenantKnown }: AuthDependencies,
  tokenIssuer: TokenIssuer,
) {
  const { issuer, audience, jwksUrl, tenantClaim, roleClaim } = tokenIssuer;
  const keys = issuerKeys(jwksUrl);
  // Never invalidated, because tenants are never deleted.
  const knownTenants = new Set<string>();

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
      return error instanceof IssuerUnreachable ? UNAVAILABLE : UNAUTHENTICATED;
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
    if (!knownTenants.has(tenantId.data) && !(await isTenantKnown(database))) {
      return UNAUTHENTICATED;
    }
    knownTenants.add(tenantId.data);
    return { ok: true, principal: { tenantId: tenantId.data, actor, database } };
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

function isRole(claim: unknown): claim is Role {
  return (ROLES as readonly unknown[]).includes(claim);
}
