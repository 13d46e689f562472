import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Operation } from "../../db/connection/client.ts";

const UUID_BYTES = 16;
/** A UUIDv7 begins with its time, in milliseconds. */
const TIME_BYTES = 6;

/**
 * The operation of another batch of the same call. Its id is derived from the call's id and the batch's content, so a
 * repeat of the batch finds that it is done. It keeps the call's time, and so its place in the index.
 */
export function derivedOperation(call: Operation, callId: string, batch: string): Operation {
  const bytes = blake3(utf8ToBytes(`${callId}:${batch}`), { dkLen: UUID_BYTES });
  bytes.set(hexToBytes(callId.replaceAll("-", "")).subarray(0, TIME_BYTES));
  // Version 7, variant 10 (RFC 9562).
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const id = bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { ...call, id, key: null };
}
