import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import * as base64url from "jose/base64url";
import { uuidv7 } from "uuidv7";
import { type ApiKeyRecord, storeApiKey } from "../../db/tenants/api-keys.ts";
import type { Role } from "../../domain/actor.ts";
import { succeed, type Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

const SECRET_BYTES = 32;

/** A key that was made. */
export interface CreatedKey extends ApiKeyRecord {
  /** What its holder sends; null in the answer to a repeat, since nothing keeps it. */
  key: string | null;
}

/** Makes a key. The database has its digest alone, so that only this one answer can show it. */
export async function createKey(
  call: ActionCall,
  { name, role }: { name: string; role: Role },
): Promise<Outcome<Done<CreatedKey>>> {
  const { database, operation, actor } = call;
  const secret = base64url.encode(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  const key = `slg_${database.tenantId.replaceAll("-", "")}_${secret}`;
  const id = uuidv7();
  const recorded = await storeApiKey(
    database,
    {
      id,
      name,
      role,
      digestHex: bytesToHex(sha256(utf8ToBytes(key))),
      lastFour: key.slice(-4),
      createdBy: actor.id,
    },
    operation,
  );
  const settled = await settle(operation, recorded, (stored: ApiKeyRecord) => ({
    ...stored,
    // Found by a retry below this call, the row is this call's own, and its key is still at hand.
    key: stored.id === id ? key : null,
  }));
  if ("answer" in settled) return settled.answer;
  const [written] = settled.rows;
  if (written === undefined) throw new Error("A key is stored or the statement fails");
  return succeed({ value: { ...written.record, key }, replayed: false });
}
