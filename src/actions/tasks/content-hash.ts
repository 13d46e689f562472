import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { stringify } from "safe-stable-stringify";
import type { TaskContent } from "../../domain/lifecycle/decision.ts";

/** Names a version's content: equal content has an equal hash, in whatever order its members were sent. */
export function contentHash(content: TaskContent): string {
  return bytesToHex(sha256(utf8ToBytes(stringify(content))));
}
