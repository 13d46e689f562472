import { importJWK, SignJWT, type JWTHeaderParameters, type JWTPayload } from "jose";
import { inject } from "vitest";
import type { SigningAlgorithm } from "./stack.ts";

export interface TokenOptions {
  claims: JWTPayload;
  algorithm?: SigningAlgorithm;
  /** Overrides members of the valid header: another `kid`, a `jku`, another `alg`. */
  header?: Partial<JWTHeaderParameters>;
  /** Signs with a key that the issuer does not publish, under a published `kid`. */
  isForged?: boolean;
  /** A time span for jose ("5m", "-1h"), or null for a token without expiry. */
  expires?: string | null;
}

/** Returns a token of the test issuer, valid unless the options break it. */
export async function signToken(options: TokenOptions): Promise<string> {
  const { claims, algorithm = "ES256", header = {}, isForged = false, expires = "5m" } = options;
  const { keys, issuer, audience } = inject("stack");
  const jwk = isForged ? keys.stranger : keys[algorithm];
  const token = new SignJWT({ iss: issuer, aud: audience, ...claims }).setProtectedHeader({
    alg: isForged ? "ES256" : algorithm,
    ...(jwk.kid === undefined ? {} : { kid: jwk.kid }),
    ...header,
  });
  if (claims.iat === undefined) token.setIssuedAt();
  if (expires !== null) token.setExpirationTime(expires);
  return token.sign(await importJWK(jwk, isForged ? "ES256" : algorithm));
}

/** Returns a token with an arbitrary header and signature, which libraries refuse to create (`alg: none`). */
export function rawToken(header: object, claims: object, signature = ""): string {
  return [encode(header), encode(claims), signature].join(".");
}

function encode(part: object): string {
  return btoa(JSON.stringify(part)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
