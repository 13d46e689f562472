import {
  findSealedSecret,
  type SecretOwner,
  type StoredSecrets,
} from "../../db/webhooks/signing-secrets.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { SecretUnavailable } from "../../outbound/sealer.ts";
import { fromHex } from "../../db/sql/bytes.ts";

interface SecretTools {
  database: TenantDatabase;
  outbound: Outbound;
}

/** The stored error of a delivery that waits for its secret. */
export const UNOPENED = "The signing secret could not be opened.";

/** How long a delivery waits for its secret. */
export const UNOPENED_DELAY_SECONDS = 5 * 60;

/**
 * Opens the secrets that sign for a pipeline or webhook, newest first. Returns null if there is none or one of them does
 * not open, and reports why: a message without a promised signature is never sent.
 */
export async function openSecrets(
  tools: SecretTools,
  owner: SecretOwner,
  { sealed, plain }: StoredSecrets,
): Promise<Uint8Array[] | null> {
  const opened = await Promise.all(sealed.map((secret) => open(tools, owner, secret)));
  const secrets = [...opened, ...plain.map(fromHex)];
  const { tenantId } = tools.database;
  if (secrets.length === 0) {
    tools.outbound.reportUnopened({ tenantId, ...owner, id: null, keyId: null, fault: "missing" });
    return null;
  }
  return secrets.every((secret) => secret !== null) ? secrets : null;
}

/**
 * Opens one secret.
 * @throws SecretUnavailable if it does not open.
 */
export async function openSecret(
  tools: SecretTools,
  owner: SecretOwner,
  secret: { id: string; sealed: string },
): Promise<Uint8Array> {
  const opened = await open(tools, owner, secret);
  if (opened === null) throw new SecretUnavailable(UNOPENED);
  return opened;
}

/**
 * Opens a stored secret by its id. Returns null if it no longer signs.
 * @throws SecretUnavailable if it does not open.
 */
export async function findSecret(
  tools: SecretTools,
  owner: SecretOwner,
  id: string,
): Promise<Uint8Array | null> {
  const sealed = await findSealedSecret(tools.database, owner, id);
  return sealed === null ? null : openSecret(tools, owner, { id, sealed });
}

async function open(
  { database, outbound }: SecretTools,
  owner: SecretOwner,
  { id, sealed }: { id: string; sealed: string },
): Promise<Uint8Array | null> {
  const address = { tenantId: database.tenantId, ...owner, id };
  const opened = await outbound.sealer.open(address, sealed);
  if (opened instanceof Uint8Array) return opened;
  outbound.reportUnopened({ ...address, ...opened });
  return null;
}
