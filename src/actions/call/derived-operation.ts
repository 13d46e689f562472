import type { Operation } from "../../db/connection/client.ts";
import { derivedId } from "./derived-id.ts";

/** A UUIDv7 begins with its time in milliseconds, as this many hexadecimal digits. */
const TIME_DIGITS = 12;

/**
 * The operation of another batch of the same call. Its id is derived from the call's id and the batch's content, so a
 * repeat of the batch finds that it is done. It keeps the call's time, and so its place in the index.
 */
export function derivedOperation(call: Operation, callId: string, batch: string): Operation {
  const time = Number.parseInt(callId.replaceAll("-", "").slice(0, TIME_DIGITS), 16);
  return { ...call, id: derivedId(`${callId}:${batch}`, time), key: null };
}
