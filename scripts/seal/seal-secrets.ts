import { drizzle } from "drizzle-orm/node-postgres";
import type { Client } from "pg";
import { uuidv7 } from "uuidv7";
import type { SecretOwnerKind } from "../../src/db/schema/signing-secrets.ts";
import {
  lockSecretsOf,
  type PlainSecrets,
  sealPlainStatement,
} from "../../src/db/webhooks/signing-secrets.ts";
import { createSealer, type Sealer, type UnopenedSecret } from "../../src/outbound/sealer.ts";
import type { SealingKey } from "../../src/outbound/sealing-keys.ts";
import { withOwner } from "../database/owner-client.ts";
import type { Progress } from "../import/progress.ts";

type Keys = readonly [SealingKey, ...SealingKey[]];

/** How many secrets are sealed with a key. `keyId` is null for plain ones. */
export interface SecretCount {
  keyId: string | null;
  secrets: number;
}

/** A pipeline or webhook. */
interface Owner {
  tenantId: string;
  kind: SecretOwnerKind;
  name: string;
}

/** One transaction handles this many rows, so that locks are short and an interruption loses little. */
const CHUNK_ROWS = 200;

const PLAIN = `
  select tenant_id, 'pipeline' as kind, name, secret, previous_secret from pipelines
  where length(secret) > 0 or previous_secret is not null
  union all
  select tenant_id, 'webhook', name, secret, previous_secret from webhooks
  where length(secret) > 0 or previous_secret is not null`;

/** Counts the secrets under each key, as the owner of the database. */
export function countSecrets(ownerUrl: string): Promise<SecretCount[]> {
  return withOwner(ownerUrl, async (client) => {
    const { rows } = await client.query<SecretCount>(`
      select null as "keyId", coalesce(sum((coalesce(length(secret), 0) > 0)::integer
          + (previous_secret is not null)::integer), 0)::integer as secrets
      from (${PLAIN}) p having count(*) > 0
      union all
      select * from (select split_part(sealed, '.', 2), count(*)::integer from signing_secrets group by 1 order by 1) s`);
    return rows;
  });
}

/** Renders the counts, with a line for each key of the environment. */
export function renderCounts(counts: readonly SecretCount[], keys: Keys): string {
  const countOf = (id: string | null) => counts.find(({ keyId }) => keyId === id)?.secrets ?? 0;
  const known = keys.map(({ id }, index) => {
    const use = index === 0 ? "seals" : countOf(id) === 0 ? "can be removed" : "still in use";
    return `Key ${id}: ${countOf(id)} secrets (${use})`;
  });
  const others = counts.filter(
    ({ keyId }) => keyId !== null && keys.every(({ id }) => id !== keyId),
  );
  const missing = others.map(
    ({ keyId, secrets }) => `Key ${keyId}: ${secrets} secrets (not in SEALING_KEYS)`,
  );
  return [...known, ...missing, `Plain: ${countOf(null)} secrets`].join("\n");
}

/**
 * Seals plain secrets and those under other keys with the first key, in chunks. It can stop anywhere and run again, also
 * while the service runs. Secrets that do not open stay as they are.
 */
export function sealSecrets(
  ownerUrl: string,
  keys: Keys,
  showProgress: (total: number) => Progress,
): Promise<{ unopened: UnopenedSecret[] }> {
  return withOwner(ownerUrl, async (client) => {
    const sealer = createSealer(keys);
    const total = await remaining(client, keys[0].id);
    const progress = showProgress(total);
    let done = 0;
    const advance = (rows: number) => progress.update((done += rows));
    await sealPlainRows(client, sealer, advance);
    await client.query("delete from signing_secrets where signs_until <= now()");
    const unopened = await resealRows(client, sealer, keys[0].id, advance);
    progress.end();
    return { unopened };
  });
}

async function remaining(client: Client, firstKeyId: string): Promise<number> {
  const { rows } = await client.query<{ total: number }>(
    `select (select count(*) from (${PLAIN}) p)::integer
      + (select count(*) from signing_secrets where split_part(sealed, '.', 2) <> $1)::integer as total`,
    [firstKeyId],
  );
  return rows[0]?.total ?? 0;
}

async function sealPlainRows(
  client: Client,
  sealer: Sealer,
  advance: (rows: number) => void,
): Promise<void> {
  const database = drizzle(client);
  const seal = async (owner: Owner, value: Uint8Array | null) => {
    if (value === null) return null;
    const id = uuidv7();
    return { id, sealed: await sealer.seal({ ...owner, id }, value) };
  };
  for (let after = ["00000000-0000-0000-0000-000000000000", "", ""]; ;) {
    const { rows } = await client.query<Owner & Record<keyof PlainSecrets, Buffer | null>>(
      `select tenant_id as "tenantId", kind, name, nullif(secret, '') as secret, previous_secret as previous
      from (${PLAIN}) p where (tenant_id, kind, name) > ($1::uuid, $2, $3)
      order by tenant_id, kind, name limit ${CHUNK_ROWS}`,
      after,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = [last.tenantId, last.kind, last.name];
    const chunk = await Promise.all(
      rows.map(async ({ secret, previous, ...owner }) => ({
        owner,
        plain: { secret, previous },
        sealed: { secret: await seal(owner, secret), previous: await seal(owner, previous) },
      })),
    );
    await database.transaction(async (transaction) => {
      for (const { owner, plain, sealed } of chunk) {
        await transaction.execute(lockSecretsOf(owner.tenantId, owner));
        await transaction.execute(sealPlainStatement(owner.tenantId, owner, plain, sealed));
      }
    });
    advance(rows.length);
  }
}

interface SealedRow extends Owner {
  id: string;
  sealed: string;
}

async function resealRows(
  client: Client,
  sealer: Sealer,
  firstKeyId: string,
  advance: (rows: number) => void,
): Promise<UnopenedSecret[]> {
  const unopened: UnopenedSecret[] = [];
  for (let after = Array<string>(2).fill("00000000-0000-0000-0000-000000000000"); ;) {
    const { rows } = await client.query<SealedRow>(
      `select tenant_id as "tenantId", id, kind, name, sealed from signing_secrets
      where split_part(sealed, '.', 2) <> $1 and (tenant_id, id) > ($2::uuid, $3::uuid)
      order by tenant_id, id limit ${CHUNK_ROWS}`,
      [firstKeyId, ...after],
    );
    const last = rows.at(-1);
    if (last === undefined) return unopened;
    after = [last.tenantId, last.id];
    const resealed: (SealedRow & { next: string })[] = [];
    for (const row of rows) {
      const { sealed, ...address } = row;
      const opened = await sealer.open(address, sealed);
      if (opened instanceof Uint8Array) {
        resealed.push({ ...row, next: await sealer.seal(address, opened) });
      } else {
        unopened.push({ ...address, ...opened });
      }
    }
    // The service may have deleted a secret, or another run may have sealed it, since it was read.
    await client.query(
      `update signing_secrets s set sealed = v.next
      from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) v(tenant_id, id, sealed, next)
      where s.tenant_id = v.tenant_id and s.id = v.id and s.sealed = v.sealed`,
      [
        resealed.map(({ tenantId }) => tenantId),
        resealed.map(({ id }) => id),
        resealed.map(({ sealed }) => sealed),
        resealed.map(({ next }) => next),
      ],
    );
    advance(rows.length);
  }
}

/** Deletes the secrets of a lost key. Returns the pipelines and webhooks that have no current secret any more. */
export function discardSecrets(ownerUrl: string, keyId: string): Promise<Owner[]> {
  return withOwner(ownerUrl, async (client) => {
    const { rows } = await client.query<Owner>(
      `with discarded as (
        delete from signing_secrets where split_part(sealed, '.', 2) = $1
        returning tenant_id, kind, name, signs_until
      )
      select tenant_id as "tenantId", kind, name from discarded where signs_until is null order by 1, 2, 3`,
      [keyId],
    );
    return rows;
  });
}
