import { type SQL, sql } from "drizzle-orm";

/** Bytes as a parameter. They are sent in hex because the HTTP transport carries only text. */
export function bytes(value: Uint8Array): SQL {
  return sql`decode(${hex(value)}, 'hex')`;
}

export function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
