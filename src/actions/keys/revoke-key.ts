import { type ApiKeyRecord, revokeApiKey } from "../../db/tenants/api-keys.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** Revokes a key for good. One that is revoked already stays as it is. */
export async function revokeKey(
  { database, actor, operation }: ActionCall,
  keyId: string,
): Promise<Outcome<Done<ApiKeyRecord>>> {
  const recorded = await revokeApiKey(database, { id: keyId, revokedBy: actor.id }, operation);
  const settled = await settle(operation, recorded, (record: ApiKeyRecord) => record);
  if ("answer" in settled) return settled.answer;
  const [revoked] = settled.rows;
  return revoked === undefined
    ? refuse(notFound())
    : succeed({ value: revoked.record, replayed: false });
}
