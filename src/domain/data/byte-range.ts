/** A part of a blob. */
export interface ByteRange {
  offset: number;
  length: number;
}

/**
 * The one part that a `Range` header asks of so many bytes; null where the whole is the answer: for several parts, for
 * one that is not there, and for what is no range of bytes (RFC 9110, section 14.2, allows each).
 */
export function byteRangeOf(header: string | null, sizeBytes: number): ByteRange | null {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  const offset = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return end < offset ? null : { offset, length: end - offset + 1 };
}
