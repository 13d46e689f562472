import * as base64url from "jose/base64url";

const MAC_BYTES = 32;

/** The key's type as each runtime names it: the Worker and the tests in Node have different ones. */
type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Signs what the service hands out and later takes back: list cursors and plan tokens. */
export interface TokenSigner {
  /** `purpose` is signed with the payload but not carried: a token opens only where it was meant to. */
  sign(purpose: string, payload: Uint8Array): Promise<string>;
  /** The payload; null for a token that was edited, made by somebody else, or meant for another purpose. */
  open(purpose: string, token: string): Promise<Uint8Array | null>;
}

/** A signer over HMAC-SHA-256. Tokens are signed, not secret: nothing goes in that its holder may not read. */
export function createTokenSigner(secret: string): TokenSigner {
  let cachedKey: SigningKey | undefined;
  // The key itself is kept, never its promise: a Worker must not await what another request began.
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

/** JSON ends the purpose unmistakably, so no purpose and payload can be cut in another place. */
function signedBytes(purpose: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(new TextEncoder().encode(JSON.stringify(purpose)), payload);
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

/** One token has one spelling: base64url's spare bits and padding would give it others. */
function decoded(token: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.from(base64url.decode(token));
    return base64url.encode(bytes) === token ? bytes : null;
  } catch {
    return null;
  }
}
