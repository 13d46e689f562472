/** A part of a blob. */
export interface ByteRange {
  offset: number;
  length: number;
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
