import { sql } from "drizzle-orm";
import type { Role } from "../domain/actor.ts";
import type { TenantDatabase } from "./client.ts";

/** What a key proves: who it is, and what it may do. */
export interface ApiKey {
  id: string;
  name: string;
  role: Role;
  digest: Uint8Array;
}

/** The key with this digest, unless it was revoked. */
export async function findApiKey(
  database: TenantDatabase,
  digest: Uint8Array,
): Promise<ApiKey | null> {
  const [row] = await database.read<Omit<ApiKey, "digest"> & { digest: string }>(
    sql`select id, name, role, encode(digest, 'hex') as digest from api_keys
      where digest = decode(${hex(digest)}, 'hex') and revoked_at is null`,
  );
  return row === undefined ? null : { ...row, digest: fromHex(row.digest) };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
