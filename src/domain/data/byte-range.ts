/** A part of a blob. */
export interface ByteRange {
  offset: number;
  length: number;
}

/**
 * The one part that a `Range` header asks of so many bytes (RFC 9110, section 14.1.2); null where the whole is the
 * answer: for several parts, and for what is no range of bytes.
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

/** The last so many bytes. Those of nothing are nothing, which no part could be: the whole is. */
function suffixOf(asked: number, sizeBytes: number): ByteRange | "unsatisfiable" | null {
  if (asked === 0) return "unsatisfiable";
  const length = Math.min(asked, sizeBytes);
  return length === 0 ? null : { offset: sizeBytes - length, length };
}
