import type { AccessApplication } from "../../env.ts";
import { API_KEY_PREFIX, apiKeyAuthenticator } from "./auth-api-key.ts";
import {
  type AuthDependencies,
  type Authenticate,
  type Authenticated,
  type CallToAuthenticate,
  unauthenticated,
} from "./principal.ts";
import { accessSource, issuerSource, type TokenSource } from "./token-issuers.ts";

const CREDENTIAL_LENGTH_MAX = 8192;

/**
 * Returns the function that authenticates a caller: by the `Authorization` header, and without one by the assertion of
 * Cloudflare Access. Access adds that to every request, so an API key that is sent through it must win. Every failure is
 * `unauthenticated`, so that an attacker cannot learn which part was wrong; only an unreachable issuer is `unavailable`,
 * and a guess too many is `rate_limited`. The reason is for the log.
 */
export function createAuthenticator(dependencies: AuthDependencies): Authenticate {
  const { tokenIssuer, accessApplication } = dependencies;
  const byKey = apiKeyAuthenticator(dependencies);
  const byToken = lazyJwtAuthenticator(dependencies, tokenIssuer && issuerSource(tokenIssuer));
  const byAssertion = lazyJwtAuthenticator(
    dependencies,
    accessApplication && accessSource(accessApplication),
  );
  return async (call) => {
    const bearer = /^bearer(?: +(.*))?$/i.exec(call.headers.get("authorization") ?? "");
    if (bearer !== null) {
      const [, credential = ""] = bearer;
      if (!isWellFormed(credential)) return unauthenticated("credential_malformed");
      return credential.startsWith(API_KEY_PREFIX)
        ? byKey(credential, call)
        : byToken(credential, call);
    }
    const assertion = accessAssertion(call.headers, accessApplication);
    if (assertion === null) return unauthenticated("credential_missing");
    if (!isWellFormed(assertion)) return unauthenticated("credential_malformed");
    const authenticated = await byAssertion(assertion, call);
    return authenticated.ok && isForgeable(call, dependencies.corsOrigins)
      ? { ok: false, fault: { code: "csrf_rejected" }, reason: "cross_site" }
      : authenticated;
  };
}

function isWellFormed(credential: string): boolean {
  return credential.length <= CREDENTIAL_LENGTH_MAX && /^[\x21-\x7e]+$/.test(credential);
}

/** The header is ignored unless Access is configured: without Access in front, any client could send it. */
function accessAssertion(headers: Headers, application: AccessApplication | null): string | null {
  return application === null ? null : headers.get("cf-access-jwt-assertion");
}

/**
 * Whether another site could have made the browser send this request: Access recognizes a browser by its cookie. Only a
 * write needs protection. Browsers say where it comes from in headers that no page can set.
 */
function isForgeable({ method, url, headers }: CallToAuthenticate, allowed: readonly string[]) {
  if (method === "GET" || method === "HEAD") return false;
  const origin = headers.get("origin");
  if (origin !== null) return origin !== new URL(url).origin && !allowed.includes(origin);
  return headers.get("sec-fetch-site") !== "same-origin";
}

/** Loads the JWT code with the first token, because most callers use API keys. */
function lazyJwtAuthenticator(dependencies: AuthDependencies, source: TokenSource | null) {
  if (source === null) {
    return async (): Promise<Authenticated> => unauthenticated("token_not_accepted");
  }
  type ByToken = (token: string, call: CallToAuthenticate) => Promise<Authenticated>;
  let byToken: ByToken | undefined;
  return async (token: string, call: CallToAuthenticate): Promise<Authenticated> => {
    // The function is kept, not its promise: workerd ties a promise to the request that created it.
    const { jwtAuthenticator } = await import("./auth-jwt.ts");
    byToken ??= jwtAuthenticator(dependencies, source);
    return byToken(token, call);
  };
}
