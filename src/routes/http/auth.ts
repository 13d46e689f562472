import { API_KEY_PREFIX, apiKeyAuthenticator } from "./auth-api-key.ts";
import type { jwtAuthenticator } from "./auth-jwt.ts";
import {
  type AuthDependencies,
  type Authenticate,
  type Authenticated,
  unauthenticated,
} from "./principal.ts";

const CREDENTIAL_LENGTH_MAX = 8192;

/**
 * Returns the function that authenticates a caller by the `Authorization` header. Every failure is `unauthenticated`,
 * so that an attacker cannot learn which part was wrong; only an unreachable issuer is `unavailable`, and a guess too
 * many is `rate_limited`. The reason is for the log.
 */
export function createAuthenticator(dependencies: AuthDependencies): Authenticate {
  const byKey = apiKeyAuthenticator(dependencies);
  const byToken = lazyJwtAuthenticator(dependencies);
  return async (headers, clock) => {
    const bearer = /^bearer(?: +(.*))?$/i.exec(headers.get("authorization") ?? "");
    if (bearer === null) return unauthenticated("credential_missing");
    const [, credential = ""] = bearer;
    const isWellFormed = /^[\x21-\x7e]+$/.test(credential);
    if (!isWellFormed || credential.length > CREDENTIAL_LENGTH_MAX) {
      return unauthenticated("credential_malformed");
    }
    const isKey = credential.startsWith(API_KEY_PREFIX);
    return isKey ? byKey(credential, headers, clock()) : byToken(credential, clock);
  };
}

/** Loads the JWT code with the first token, because most callers use API keys. */
function lazyJwtAuthenticator(dependencies: AuthDependencies) {
  const { tokenIssuer } = dependencies;
  if (tokenIssuer === null) {
    return async (): Promise<Authenticated> => unauthenticated("token_not_accepted");
  }
  let byToken: ReturnType<typeof jwtAuthenticator> | undefined;
  return async (token: string, clock: () => Date): Promise<Authenticated> => {
    // The function is kept, not its promise: workerd ties a promise to the request that created it.
    const { jwtAuthenticator } = await import("./auth-jwt.ts");
    byToken ??= jwtAuthenticator(dependencies, tokenIssuer);
    return byToken(token, clock);
  };
}
