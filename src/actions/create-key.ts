import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { base64url } from "jose";
import { uuidv7 } from "uuidv7";
import { type ApiKeyRecord, storeApiKey } from "../db/api-keys.ts";
import type { Role } from "../domain/actor.ts";
import { accept, type Outcome, refuse } from "../domain/refusals.ts";
import type { ActionCall, Done } from "./call.ts";
import { inProgress, replayOf } from "./replay.ts";

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
  const recorded = await storeApiKey(
    database,
    {
      id: uuidv7(),
      name,
      role,
      digestHex: bytesToHex(sha256(utf8ToBytes(key))),
      lastFour: key.slice(-4),
      createdBy: actor.id,
    },
    operation,
  );
  if (recorded.outcome === "in_progress") return refuse(inProgress());
  if (recorded.outcome === "replayed") {
    const stored = replayOf<ApiKeyRecord>(operation, recorded.operation);
    if (!stored.ok) return stored;
    // Found by a retry below this call, the row is this call's own, and its key is still at hand.
    const replayed = recorded.operation.id !== operation.id;
    return accept({ value: { ...stored.value, key: replayed ? null : key }, replayed });
  }
  const [written] = recorded.rows;
  if (written === undefined) throw new Error("A key is stored or the statement fails");
  return accept({ value: { ...written.record, key }, replayed: false });
}
