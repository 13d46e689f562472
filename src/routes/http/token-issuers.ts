import type { JWTPayload } from "jose";
import type { AccessApplication, TokenIssuer } from "../../env.ts";

/** Whose tokens are accepted, and where their claims say who calls. */
export interface TokenSource {
  issuer: string;
  audience: string;
  jwksUrl: string;
  /** Returns the claims unparsed, or null if the token is not for a caller of the API. */
  read: (payload: JWTPayload) => TokenClaims | null;
}

export interface TokenClaims {
  subject: unknown;
  tenant: unknown;
  role: unknown;
  name: unknown;
  email: unknown;
  /** Whether the issuer vouches for the email address, so that it can identify a person who was entered before. */
  isEmailVerified: boolean;
}

/** Two issuers could give two people the same subject, so the subjects of Cloudflare Access have a prefix. */
const ACCESS_PREFIX = "access:";

/** OpenID Connect Core 1.0, section 2. */
const SUBJECT_LENGTH_MAX = 255;

const isOwnSubject = (sub = ""): boolean =>
  sub.length <= SUBJECT_LENGTH_MAX && !sub.startsWith(ACCESS_PREFIX);

/** The configured issuer, whose tokens are sent in the `Authorization` header. */
export function issuerSource({ tenantClaim, roleClaim, ...issuer }: TokenIssuer): TokenSource {
  return {
    ...issuer,
    read: (payload) => {
      const { sub, name, email, email_verified: verified } = payload;
      return {
        subject: isOwnSubject(sub) ? sub : undefined,
        tenant: payload[tenantClaim],
        role: payload[roleClaim],
        name,
        email,
        isEmailVerified: verified === true,
      };
    },
  };
}

/**
 * Cloudflare Access, which signs an assertion about each request that it lets through. Its own claims name neither a
 * tenant nor a role; claims of the identity provider that it passes on are members of `custom`. Access verifies emails.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/
 */
export function accessSource(application: AccessApplication): TokenSource {
  const { tenant, roleClaim, ...issuer } = application;
  return {
    ...issuer,
    read: (payload) => {
      // The assertion of a service token has an empty subject: machines use API keys.
      if (payload["type"] !== "app" || !payload.sub) return null;
      const custom = isObject(payload["custom"]) ? payload["custom"] : {};
      const { email } = payload;
      return {
        subject: `${ACCESS_PREFIX}${payload.sub}`,
        tenant: "id" in tenant ? tenant.id : custom[tenant.claim],
        role: roleClaim === null ? undefined : custom[roleClaim],
        name: custom["name"] ?? email,
        email,
        isEmailVerified: true,
      };
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
