import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const UUID_BYTES = 16;
/** A UUIDv7 begins with its time, in milliseconds. */
const TIME_BYTES = 6;

/** Returns a UUIDv7 of a time, in milliseconds since 1970. Its other bits are a hash of the name. */
export function derivedId(name: string, time: number): string {
  const bytes = blake3(utf8ToBytes(name), { dkLen: UUID_BYTES });
  bytes.set(hexToBytes(time.toString(16).padStart(TIME_BYTES * 2, "0")));
  // Version 7, variant 10 (RFC 9562).
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
