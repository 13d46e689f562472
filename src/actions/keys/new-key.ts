import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { ApiKeyRecord, KeySecret } from "../../db/tenants/api-keys.ts";
import { mintKey } from "./mint-key.ts";

export interface CreatedKey extends ApiKeyRecord {
  /** The secret that its holder sends. Null in a replayed answer, because it is stored nowhere. */
  key: string | null;
}

/** Generates a key of a tenant: its text, and what is stored of it. */
export function newKey(
  tenantId: string,
  signingSecret: string,
): { key: string; stored: KeySecret } {
  const key = mintKey(tenantId, signingSecret);
  return {
    key,
    stored: { digestHex: bytesToHex(sha256(utf8ToBytes(key))), lastFour: key.slice(-4) },
  };
}
