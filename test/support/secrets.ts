import { secretText } from "../../src/outbound/secrets.ts";
import type { SecretAddress } from "../../src/outbound/sealer.ts";
import type { TestDatabase } from "./database.ts";
import { SEALING_KEYS, testSealer } from "./sealing.ts";

/** A stored secret as text, and in how many hours it expires (null for the current one). */
export interface StoredSecret {
  secret: string;
  hours: number | null;
}

/** Opens the stored secrets of a pipeline or webhook, newest first. */
export async function storedSecrets(
  database: TestDatabase,
  owner: Pick<SecretAddress, "kind" | "name">,
  keys: string = SEALING_KEYS,
): Promise<StoredSecret[]> {
  const rows = await database.query(
    "owner",
    `select tenant_id, id, sealed, extract(epoch from signs_until - now()) / 3600 as hours from signing_secrets
    where kind = $1 and name = $2 order by signs_until desc nulls first`,
    [owner.kind, owner.name],
  );
  const sealer = testSealer(keys);
  return Promise.all(
    rows.map(async ({ tenant_id: tenantId, id, sealed, hours }) => {
      const address = { ...owner, tenantId: String(tenantId), id: String(id) };
      const opened = await sealer.open(address, String(sealed));
      if (!(opened instanceof Uint8Array)) throw new Error(`Not opened: ${opened.fault}`);
      const whole = hours === null ? null : Math.round(Number(hours));
      return { secret: secretText(opened), hours: whole };
    }),
  );
}
