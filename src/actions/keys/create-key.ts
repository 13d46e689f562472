import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { uuidv7 } from "uuidv7";
import { type ApiKeyRecord, storeApiKey } from "../../db/tenants/api-keys.ts";
import type { Role } from "../../domain/actor.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { mintKey } from "./mint-key.ts";

export interface CreatedKey extends ApiKeyRecord {
  /** The secret that its holder sends. Null in a replayed answer, because it is stored nowhere. */
  key: string | null;
}

/** Creates an API key. The database stores only its digest, so only this answer can show the key. */
export async function createKey(
  call: ActionCall & { signingSecret: string },
  { name, role }: { name: string; role: Role },
): Promise<Outcome<Done<CreatedKey>>> {
  const { database, operation, actor, signingSecret } = call;
  const key = mintKey(database.tenantId, signingSecret);
  const id = uuidv7();
  const stored = await storeApiKey(
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
  return conclude(operation, stored, {
    result: ({ record }) => record,
    // A retry inside this call may find its own first attempt in the ledger: the key is still in memory.
    render: (record) => ({ ...record, key: record.id === id ? key : null }),
  });
}
