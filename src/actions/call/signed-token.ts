import * as base64url from "jose/base64url";

const MAC_BYTES = 32;

/** The Worker and the tests in Node declare different CryptoKey types; this is the one of the current runtime. */
type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Signs what clients send back unchanged: list cursors and plan tokens. */
export interface TokenSigner {
  /** Signs `purpose` along with the payload but leaves it out of the token, so a token only opens for its purpose. */
  sign(purpose: string, payload: Uint8Array): Promise<string>;
  /** Returns the payload; null if the token was altered, was not signed here, or has another purpose. */
  open(purpose: string, token: string): Promise<Uint8Array | null>;
}

/** Creates a signer that uses HMAC-SHA-256. Tokens are not encrypted: their holder can read the payload. */
export function createTokenSigner(secret: string): TokenSigner {
  let cachedKey: SigningKey | undefined;
  // Caches the key, not its promise: a Worker request must not await I/O that another request started.
  const key = async () => (cachedKey ??= await importKey(secret));

  return {
    async sign(purpose, payload) {
      const mac = await crypto.subtle.sign("HMAC", await key(), signedBytes(purpose, payload));
      return base64url.encode(joined(payload, new Uint8Array(mac)));
    },
    async open(purpose, token) {
      const bytes = decoded(token);
      if (bytes === null || bytes.length < MAC_BYTES) return null;
      const payload = bytes.slice(0, -MAC_BYTES);
      const mac = bytes.slice(-MAC_BYTES);
      const data = signedBytes(purpose, payload);
      return (await crypto.subtle.verify("HMAC", await key(), mac, data)) ? payload : null;
    },
  };
}

function importKey(secret: string): Promise<SigningKey> {
  const bytes = new TextEncoder().encode(secret);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign", "verify"]);
}

/** The JSON string delimits the purpose, so no other split into purpose and payload gives the same bytes. */
function signedBytes(purpose: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(new TextEncoder().encode(JSON.stringify(purpose)), payload);
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

/** Rejects other spellings of a token, which base64url allows through padding and spare bits. */
function decoded(token: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.from(base64url.decode(token));
    return base64url.encode(bytes) === token ? bytes : null;
  } catch {
    return null;
  }
}
