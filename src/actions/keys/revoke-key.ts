import { type ApiKeyRecord, revokeApiKey } from "../../db/tenants/api-keys.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Revokes an API key permanently. A key that is already revoked stays as it is. */
export async function revokeKey(
  { database, actor, operation }: ActionCall,
  keyId: string,
): Promise<Outcome<Done<ApiKeyRecord>>> {
  const revoked = await revokeApiKey(database, { id: keyId, revokedBy: actor.id }, operation);
  return conclude(operation, revoked, { result: ({ record }) => record, render: asStored });
}
