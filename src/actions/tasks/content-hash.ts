import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { stringify } from "safe-stable-stringify";
import type { TaskContent } from "../../domain/lifecycle/decision.ts";

/** Returns the SHA-256 of a version's content, in hex. The order of its JSON members does not matter. */
export function contentHash(content: TaskContent): string {
  return bytesToHex(sha256(utf8ToBytes(stringify(content))));
}
