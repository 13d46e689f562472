import { uuidv7 } from "uuidv7";
import { rotateApiKey } from "../../db/tenants/api-keys.ts";
import { type Outcome, refuse, refuseExpiry } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { type CreatedKey, newKey } from "./new-key.ts";

/** The key to replace, and how long it still works. */
export interface Rotation {
  keyId: string;
  overlapSeconds: number;
  /** When the new key expires; null if never. Undefined: it gets the lifetime of the old one. */
  expiresAt?: string | null | undefined;
  reason?: string | undefined;
}

/** The new key, which only this answer shows. */
export interface Rotated extends CreatedKey {
  /** When the replaced key stops working. */
  overlapUntil: string;
}

/**
 * Replaces an API key by a new one with the same name, role and kind. Both work during the overlap, so a caller that
 * lost the answer can rotate the old key again.
 */
export async function rotateKey(
  call: AdministrativeCall & { now: Date; signingSecret: string },
  { keyId, overlapSeconds, expiresAt, reason }: Rotation,
): Promise<Outcome<Done<Rotated>>> {
  const { database, operation, actor, now, signingSecret } = call;
  const refusal = typeof expiresAt === "string" ? refuseExpiry(expiresAt, now) : null;
  if (refusal !== null) return refuse(refusal);
  const { key, stored } = newKey(database.tenantId, signingSecret);
  const successorId = uuidv7();
  const rotated = await rotateApiKey(
    database,
    keyId,
    { successorId, overlapSeconds, expiresAt, rotatedBy: actor.id, ...stored },
    administrationOf(call, reason),
  );
  return conclude(operation, rotated, {
    result: ({ record, overlapUntil }) => ({ record, overlapUntil }),
    render: ({ record, overlapUntil }) => ({
      ...record,
      overlapUntil,
      // As for a new key, only the call that made it can show it.
      key: record.id === successorId ? key : null,
    }),
  });
}
