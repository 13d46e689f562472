/** Standard Webhooks requires secrets of 24 to 64 bytes. */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET_BYTES = 32;

const PREFIX = "whsec_";

export function newSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
}

/** A secret in its text form: `whsec_` and Base64. */
export function secretText(secret: Uint8Array): string {
  return PREFIX + btoa(String.fromCharCode(...secret));
}

/** Parses a secret in text form; null if the standard does not allow it. */
export function parseSecret(text: string): Uint8Array | null {
  if (!text.startsWith(PREFIX)) return null;
  const base64 = text.slice(PREFIX.length);
  // atob accepts spaces and missing padding, which other libraries reject.
  if (base64.length % 4 !== 0 || !/^[A-Za-z\d+/]+={0,2}$/.test(base64)) return null;
  const secret = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const isLongEnough = secret.length >= SECRET_BYTES_MIN && secret.length <= SECRET_BYTES_MAX;
  return isLongEnough ? secret : null;
}
