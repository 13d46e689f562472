import { type ApiKeyRecord, revokeApiKey } from "../db/api-keys.ts";
import { accept, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import type { ActionCall } from "./call.ts";
import { inProgress } from "./replay.ts";

/** Revokes a key for good. One that is revoked already stays as it is. */
export async function revokeKey(
  { database, actor, operation }: ActionCall,
  keyId: string,
): Promise<Outcome<ApiKeyRecord>> {
  const recorded = await revokeApiKey(database, { id: keyId, revokedBy: actor.id }, operation);
  if (recorded.outcome === "in_progress") return refuse(inProgress());
  if (recorded.outcome === "replayed") {
    // Without an Idempotency-Key only a retry below this very call can find it done.
    return accept(recorded.operation.result as ApiKeyRecord);
  }
  const [revoked] = recorded.rows;
  return revoked === undefined ? refuse(notFound()) : accept(revoked.record);
}
