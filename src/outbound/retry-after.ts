/** Longer requested waits are cut to this. */
export const RETRY_AFTER_SECONDS_MAX = 60 * 60;

/** Parses a `Retry-After` header (RFC 9110) to seconds, from a number or a date; null if absent or invalid. */
export function retryAfterSeconds(header: string | null, now: Date): number | null {
  if (header === null) return null;
  const text = header.trim();
  const isDate = text.endsWith("GMT");
  if (!isDate && !/^\d+$/.test(text)) return null;
  const seconds = isDate ? (Date.parse(text) - now.getTime()) / 1000 : Number(text);
  if (Number.isNaN(seconds)) return null;
  return Math.min(Math.max(Math.ceil(seconds), 0), RETRY_AFTER_SECONDS_MAX);
}
