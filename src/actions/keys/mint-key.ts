import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import * as base64url from "jose/base64url";

// The secret of a key is 20 random bytes and a proof of 12 bytes: an HMAC of them and the tenant. The proof gives no
// access, which only the stored digest does. It lets authentication tell a guess from a key that this service issued
// without asking the database (ADR 0030). Keys without a valid proof also work: older ones, those of another
// SIGNING_SECRET, and those that `npm run tenant` creates without it.

const RANDOM_BYTES = 20;
const PROOF_BYTES = 12;

/** Returns a new API key of a tenant. Without the signing secret, its proof is random and therefore not valid. */
export function mintKey(tenantId: string, signingSecret: string | null): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES + PROOF_BYTES));
  if (signingSecret !== null) {
    bytes.set(proofOf(tenantId, bytes.subarray(0, RANDOM_BYTES), signingSecret), RANDOM_BYTES);
  }
  return `slg_${tenantId.replaceAll("-", "")}_${base64url.encode(bytes)}`;
}

/** Whether the secret part of a key has a valid proof for the tenant. Compares in constant time. */
export function isMinted(
  { tenantId, secret }: { tenantId: string; secret: string },
  signingSecret: string,
): boolean {
  const bytes = decoded(secret);
  if (bytes?.length !== RANDOM_BYTES + PROOF_BYTES) return false;
  const proof = proofOf(tenantId, bytes.subarray(0, RANDOM_BYTES), signingSecret);
  const given = bytes.subarray(RANDOM_BYTES);
  return proof.reduce((bits, byte, index) => bits | (byte ^ (given[index] ?? 0)), 0) === 0;
}

function proofOf(tenantId: string, random: Uint8Array, signingSecret: string): Uint8Array {
  const proven = concatBytes(utf8ToBytes(`api-key ${tenantId} `), random);
  return hmac(sha256, utf8ToBytes(signingSecret), proven).subarray(0, PROOF_BYTES);
}

function decoded(text: string): Uint8Array | null {
  try {
    return base64url.decode(text);
  } catch {
    return null;
  }
}
