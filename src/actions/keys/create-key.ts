import { uuidv7 } from "uuidv7";
import { storeApiKey } from "../../db/tenants/api-keys.ts";
import type { Role } from "../../domain/actor.ts";
import { noPersonalRole, type Outcome, refuse, refuseExpiry } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { type CreatedKey, newKey } from "./new-key.ts";

/** A key to create. */
export interface NewKey {
  name: string;
  role: Role;
  /** Whose key it is; null for a program's. */
  personId: string | null;
  /** When it stops working; null if never. */
  expiresAt: string | null;
  reason?: string | undefined;
}

/**
 * Creates an API key of a program, or of a person who is active. The database stores only its digest, so only this answer
 * can show the key.
 */
export async function createKey(
  call: AdministrativeCall & { now: Date; signingSecret: string },
  { name, role, personId, expiresAt, reason }: NewKey,
): Promise<Outcome<Done<CreatedKey>>> {
  const { database, operation, actor, now, signingSecret } = call;
  const refusal = expiresAt === null ? null : refuseExpiry(expiresAt, now);
  if (refusal !== null) return refuse(refusal);
  if (personId !== null && role === "service") return refuse(noPersonalRole());
  const { key, stored } = newKey(database.tenantId, signingSecret);
  const id = uuidv7();
  const written = await storeApiKey(
    database,
    { id, name, role, personId, expiresAt, createdBy: actor.id, ...stored },
    administrationOf(call, reason),
  );
  return conclude(operation, written, {
    result: ({ record }) => record,
    // A retry inside this call may find its own first attempt in the ledger: the key is still in memory.
    render: (record) => ({ ...record, key: record.id === id ? key : null }),
  });
}
