import type { ByteRange } from "../../domain/data/byte-range.ts";
import type { PublicCall } from "./call.ts";

/**
 * Returns the part of the content that a request is answered with, or null for the whole. `Range` is ignored if `If-Range`
 * names another entity tag, or if the caller already has the content.
 */
export function requestedRange(
  { range, ifRange, isKnown }: Pick<PublicCall, "range" | "ifRange" | "isKnown">,
  { entityTag, sizeBytes }: { entityTag: string; sizeBytes: number },
): ByteRange | "unsatisfiable" | null {
  const isSame = ifRange === null || ifRange === entityTag;
  return isSame && !isKnown(entityTag) ? byteRangeOf(range, sizeBytes) : null;
}

/**
 * Returns the part of a blob that a `Range` header requests (RFC 9110, section 14.1.2). Returns null if the response is
 * the whole blob: without a header, for several ranges, and for anything that is not a byte range.
 */
export function byteRangeOf(
  header: string | null,
  sizeBytes: number,
): ByteRange | "unsatisfiable" | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/i.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") return suffixOf(Number(last), sizeBytes);
  const offset = Number(first);
  const end = last === "" ? Infinity : Number(last);
  if (end < offset) return null;
  if (offset >= sizeBytes) return "unsatisfiable";
  return { offset, length: Math.min(end, sizeBytes - 1) - offset + 1 };
}

/** Returns the last bytes of a blob. Returns null for an empty blob, because a content range cannot be empty. */
function suffixOf(suffixLength: number, sizeBytes: number): ByteRange | "unsatisfiable" | null {
  if (suffixLength === 0) return "unsatisfiable";
  const length = Math.min(suffixLength, sizeBytes);
  return length === 0 ? null : { offset: sizeBytes - length, length };
}
