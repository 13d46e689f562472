import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { type Actor, ROLES, type Role } from "../../domain/actor.ts";
import type { TokenIssuer } from "../../env.ts";
import { type AuthDependencies, type Authenticated, UNAUTHENTICATED } from "./principal.ts";
import { name, uuid } from "./schemas.ts";

/** Fixed, so that a token cannot choose: no `none`, and no HMAC with a public key as its secret. */
const TOKEN_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

const UNAVAILABLE: Authenticated = { ok: false, fault: { code: "unavailable" } };

/** Makes the function that tells who calls with a JWT of the configured issuer. */
export function tokenAuthenticator(
  { openTenant, isTenantKnown }: AuthDependencies,
  tokenIssuer: TokenIssuer,
) {
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
