/** A key that seals secrets: 256 bits, and the id under which sealed secrets name it. */
export interface SealingKey {
  id: string;
  key: Uint8Array<ArrayBuffer>;
}

/** AES-256. */
const KEY_BYTES = 32;

const ENTRY = /^(?<id>[A-Za-z\d_-]{1,16}):(?<base64>[A-Za-z\d+/]+={0,2})$/;

/**
 * Parses `SEALING_KEYS`: `ID:BASE64`, separated by commas. The first key seals, and all of them open. Returns null if
 * an entry is malformed, a key does not have 32 bytes, or an id is used twice.
 */
export function parseSealingKeys(text: string): readonly [SealingKey, ...SealingKey[]] | null {
  const keys: SealingKey[] = [];
  for (const entry of text.split(",")) {
    const { id, base64 } = ENTRY.exec(entry.trim())?.groups ?? {};
    if (id === undefined || base64 === undefined || base64.length % 4 !== 0) return null;
    const key = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    if (key.length !== KEY_BYTES || keys.some((other) => other.id === id)) return null;
    keys.push({ id, key });
  }
  const [first, ...others] = keys;
  return first === undefined ? null : [first, ...others];
}
