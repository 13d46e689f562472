import { type ApiKeyRecord, revokeApiKey } from "../../db/tenants/api-keys.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Revokes an API key permanently. A key that is already revoked stays as it is. */
export async function revokeKey(
  call: AdministrativeCall,
  { keyId, reason }: { keyId: string; reason?: string | undefined },
): Promise<Outcome<Done<ApiKeyRecord>>> {
  const { database, actor, operation } = call;
  const revoked = await revokeApiKey(
    database,
    { id: keyId, revokedBy: actor.id },
    administrationOf(call, reason),
  );
  return conclude(operation, revoked, { result: ({ record }) => record, render: asStored });
}
