import { uuidv7 } from "uuidv7";
import type { Administered } from "../../db/administration/write-administration.ts";
import {
  findPlainSecrets,
  LIVE_SECRETS_MAX,
  lockSecretsOf,
  type NewSecret,
  type SecretOwner,
  sealPlainStatement,
  type SecretWrite,
  type StoredWithSecret,
} from "../../db/webhooks/signing-secrets.ts";
import { fromHex } from "../../db/sql/bytes.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { secretText } from "../../outbound/secrets.ts";
import type { AdministrativeCall, Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { findSecret } from "./open-secrets.ts";

/** A record that signs its messages, with its new secret if this call created one. */
export type WithSecret<Record> = Record & { secret: string | null };

export type SecretCall = AdministrativeCall & { outbound: Outbound };

/**
 * Writes a record together with a new secret, and shows the secret if this call generated it. A repeat of the call shows
 * it again while it signs, so that a lost answer does not cost another rotation. No other answer shows it.
 */
export function writeSecret<Record extends object>(
  call: SecretCall,
  owner: SecretOwner,
  { value, isGenerated }: { value: Uint8Array; isGenerated: boolean },
  write: (secret: NewSecret) => Promise<Administered<SecretWrite<Record>> | typeof LOST_RACE>,
): Promise<Outcome<Done<WithSecret<Record>>>> {
  const { database, operation, outbound } = call;
  const shown = async ({ operationId, secretId }: StoredWithSecret<Record>) => {
    // Results of earlier releases name no secret.
    if (secretId === null || secretId === undefined) return null;
    // A retry inside this call may find its own first attempt in the ledger: the secret is still in memory.
    const secret = operationId === operation.id ? value : await findSecret(call, owner, secretId);
    return secret === null ? null : secretText(secret);
  };
  return decideAgain(owner.kind, async () => {
    const id = uuidv7();
    const address = { tenantId: database.tenantId, ...owner, id };
    const sealed = await outbound.sealer.seal(address, value);
    const written = await write({ id, sealed, isShown: isGenerated });
    if (written === LOST_RACE) return LOST_RACE;
    return conclude(operation, written, {
      result: ({ record, ...rest }): StoredWithSecret<Record> | null =>
        record === null ? null : { ...rest, record },
      render: async (stored): Promise<WithSecret<Record>> => ({
        ...stored.record,
        secret: await shown(stored),
      }),
      unwritten: (row) => refusalOf(call, owner, row),
    });
  });
}

/** Says why nothing was written. A row with plain secrets gets them sealed first, and the write is repeated. */
async function refusalOf(
  call: SecretCall,
  owner: SecretOwner,
  row: SecretWrite<object> | undefined,
): Promise<Outcome<never> | typeof LOST_RACE> {
  if (row?.exists === false) return refuse(notFound());
  if (row?.hasPlain === true) await sealPlain(call, owner);
  else if (row !== undefined && row.currentId !== null && row.live >= LIVE_SECRETS_MAX) {
    return refuse({
      code: "conflict",
      detail: `${LIVE_SECRETS_MAX} secrets already sign for this ${owner.kind}. Rotate again after one of them has expired.`,
      existing: { id: row.currentId },
    });
  }
  return LOST_RACE;
}

/** Seals the plain secrets that an earlier release stored, before they are written to. */
export async function sealPlain(
  { database, outbound }: Pick<SecretCall, "database" | "outbound">,
  owner: SecretOwner,
): Promise<void> {
  const { tenantId } = database;
  const found = await findPlainSecrets(database, owner);
  const secret = found.secret === null ? null : fromHex(found.secret);
  const previous = found.previous === null ? null : fromHex(found.previous);
  if (secret === null && previous === null) return;
  const seal = async (value: Uint8Array | null) => {
    if (value === null) return null;
    const id = uuidv7();
    return { id, sealed: await outbound.sealer.seal({ tenantId, ...owner, id }, value) };
  };
  const sealed = { secret: await seal(secret), previous: await seal(previous) };
  await database.writeIdempotently(
    lockSecretsOf(tenantId, owner),
    sealPlainStatement(tenantId, owner, { secret, previous }, sealed),
  );
}
