import { type SQL, sql } from "drizzle-orm";
import { stateOf } from "../administration/admin-states.ts";
import {
  administer,
  type Administered,
  type Administration,
  type AdministrativeChange,
  recordedEvent,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import type { SecretOwnerKind } from "../schema/signing-secrets.ts";
import { bytes } from "../sql/bytes.ts";

/** The pipeline or webhook that a secret signs for. */
export interface SecretOwner {
  kind: SecretOwnerKind;
  name: string;
}

/** A sealed secret to store. */
export interface NewSecret {
  id: string;
  sealed: string;
  /** Whether the answer shows it, so that a repeat of the call may show it again. */
  isShown: boolean;
}

/** The secrets that sign for a pipeline or webhook. */
export interface StoredSecrets {
  /** Newest first. */
  sealed: { id: string; sealed: string }[];
  /** Secrets of earlier releases that are not sealed yet, in hex, newest first. */
  plain: string[];
}

/** What the ledger stores for a write to a pipeline or webhook. It never contains the secret. */
export interface StoredWithSecret<Record> {
  record: Record;
  operationId: string;
  /** The secret that the answer showed; null if it showed none. */
  secretId: string | null;
}

/** What a write to a pipeline or webhook did, or why it wrote nothing. */
export interface SecretWrite<Record> extends Omit<StoredWithSecret<Record>, "record"> {
  /** Null if nothing was written. */
  record: Record | null;
  /** The row still has plain secrets, which must be sealed first. */
  hasPlain: boolean;
  exists: boolean;
  /** How many secrets signed before the write, and the id of the current one. */
  live: number;
  currentId: string | null;
}

/** A secret also signs for this long after it was replaced, so that receivers have time to switch. */
export const OVERLAP_HOURS = 24;
const OVERLAP = sql.raw(`interval '${OVERLAP_HOURS} hours'`);

/** How many secrets may sign at once. Each adds a signature to the header of every message. */
export const LIVE_SECRETS_MAX = 10;

const OWNERS = { pipeline: sql`pipelines`, webhook: sql`webhooks` };

/** The condition that the alias o, a row of pipelines or webhooks, has plain secrets of an earlier release. */
const hasPlain = (o: SQL) =>
  sql`(coalesce(length(${o}.secret), 0) > 0 or ${o}.previous_secret is not null)`;

/**
 * The conditions of a write that adds a secret if `adds` is true: the row with this alias has no plain secrets, and
 * there is room for another one. They read the CTE `live`.
 */
export function canAddSecret(alias: SQL, adds: SQL): SQL {
  return sql`not ${hasPlain(alias)} and (not ${adds} or (select count(*) from live) < ${LIVE_SECRETS_MAX})`;
}

/** The condition that the owner has no current secret; reads the CTE `live`. */
export const HAS_NO_SECRET = sql`not exists (select from live where signs_until is null)`;

interface SecretChange extends Pick<AdministrativeChange, "type" | "details"> {
  owner: SecretOwner;
  /**
   * Writes the owner's row. Returns its columns and `adds_secret`; no row if nothing may be written. It can read the
   * CTE `live`: the secrets that sign before the write.
   */
  change: SQL;
  /** The record as JSON, from the alias `changed`, given the SQL of `previousSecretUntil`. */
  recordJson: (previousSecretUntil: SQL) => SQL;
  /** The secret that is added if `adds_secret` is true. Null deletes all secrets instead. */
  secret: NewSecret | null;
  /** Further CTEs, which can read `changed`. */
  effects?: SQL;
}

/**
 * Writes a row that has signing secrets, as administration, and stores the operation's result. If `change` returns no
 * row, the operation is dropped. A new secret becomes the current one, and the one before it also signs for another day.
 */
export function writeWithSecret<Record>(
  database: TenantDatabase,
  by: Administration,
  { owner, change, recordJson, secret, effects = sql``, ...event }: SecretChange,
): Promise<Administered<SecretWrite<Record>>> {
  const { tenantId } = database;
  const { operation } = by;
  const recorded = {
    ...event,
    subject: owner.kind,
    id: sql`changed.name`,
    state: stateOf(owner.kind, "changed"),
  };
  const isOwned = (s: SQL) =>
    sql`${s}.tenant_id = ${tenantId}::uuid and ${s}.kind = ${owner.kind} and ${s}.name = ${owner.name}`;
  const secrets = secret === null ? deletion(isOwned) : addition(secret, isOwned, tenantId, owner);
  const untilNow = latestEnd(owner.kind, sql`changed`);
  const until =
    secret === null
      ? sql`null::timestamptz`
      : sql`case when changed.adds_secret and not ${HAS_NO_SECRET} then now() + ${OVERLAP} else ${untilNow} end`;
  return administer<SecretWrite<Record>>(database, by, [
    lockSecretsOf(tenantId, owner),
    sql`
with live as materialized (
  select s.id, s.signs_until from signing_secrets s
  where ${isOwned(sql`s`)} and (s.signs_until is null or s.signs_until > now())
),
was as materialized (
  select ${stateOf(owner.kind, "o")} as state from ${OWNERS[owner.kind]} o
  where o.tenant_id = ${tenantId}::uuid and o.name = ${owner.name}
),
changed as (${change}),
${secrets}${effects},
${recordedEvent(tenantId, by, recorded)},
answer as (select ${recordJson(until)} as record, (select id from added) as secret_id from changed),
${keepOrDrop(
  { tenantId, operation },
  {
    from: sql`answer`,
    result: sql`json_build_object('record', answer.record, 'operationId', o.id,
      'secretId', ${secret?.isShown === true ? sql`answer.secret_id` : sql`null::uuid`})`,
  },
)}
select answer.record, ${operation.id} as "operationId",
  ${secret?.isShown === true ? sql`answer.secret_id` : sql`null::uuid`} as "secretId",
  exists (select from ${OWNERS[owner.kind]} o where o.tenant_id = ${tenantId}::uuid and o.name = ${owner.name}
    and ${hasPlain(sql`o`)}) as "hasPlain",
  exists (select from ${OWNERS[owner.kind]} o where o.tenant_id = ${tenantId}::uuid and o.name = ${owner.name}
    ${owner.kind === "webhook" ? sql`and o.deleted_at is null` : sql``}) as "exists",
  (select count(*)::integer from live) as live,
  (select id from live where signs_until is null) as "currentId"
from (select) always left join answer on true`,
  ]);
}

/**
 * Makes writes to the secrets of one pipeline or webhook wait for each other until they commit. It is a statement of its
 * own, so that the next one sees the secrets that the write before it left.
 */
export function lockSecretsOf(tenantId: string, { kind, name }: SecretOwner): SQL {
  const key = `signing_secrets/${tenantId}/${kind}/${name}`;
  return sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`;
}

function addition(
  { id, sealed }: NewSecret,
  isOwned: (s: SQL) => SQL,
  tenantId: string,
  { kind, name }: SecretOwner,
): SQL {
  return sql`retired as (
  update signing_secrets s set signs_until = now() + ${OVERLAP}
  from changed where changed.adds_secret and ${isOwned(sql`s`)} and s.signs_until is null
  returning s.id
),
expired as (
  delete from signing_secrets s using changed where ${isOwned(sql`s`)} and s.signs_until <= now()
),
-- Reads from "retired", so that the index of current secrets sees the old one replaced first.
added as (
  insert into signing_secrets (tenant_id, kind, name, id, sealed)
  select ${tenantId}::uuid, ${kind}, ${name}, ${id}::uuid, ${sealed}
  from changed, (select count(*) from retired) r where changed.adds_secret
  returning id
)`;
}

function deletion(isOwned: (s: SQL) => SQL): SQL {
  return sql`deleted as (
  delete from signing_secrets s using changed where ${isOwned(sql`s`)}
),
added as (select null::uuid as id where false)`;
}

/** When the newest of the replaced secrets of the row with this alias stops signing; null if only one secret signs. */
export function latestEnd(kind: SecretOwnerKind, alias: SQL): SQL {
  return sql`greatest(
    (select max(s.signs_until) from signing_secrets s
      where s.tenant_id = ${alias}.tenant_id and s.kind = ${kind} and s.name = ${alias}.name and s.signs_until > now()),
    case when ${alias}.previous_secret_until > now() then ${alias}.previous_secret_until end)`;
}

/** The StoredSecrets of the row with this alias, as JSON. */
export function signingSecrets(kind: SecretOwnerKind, alias: SQL): SQL {
  return sql`json_build_object('sealed', coalesce((
      select json_agg(json_build_object('id', s.id, 'sealed', s.sealed) order by s.signs_until desc nulls first, s.id desc)
      from signing_secrets s
      where s.tenant_id = ${alias}.tenant_id and s.kind = ${kind} and s.name = ${alias}.name
        and (s.signs_until is null or s.signs_until > now())), '[]'),
    'plain', array_remove(array[encode(nullif(${alias}.secret, ''), 'hex'),
      case when ${alias}.previous_secret_until > now() then encode(${alias}.previous_secret, 'hex') end], null))`;
}

/** Returns a sealed secret if it still signs; null otherwise. */
export async function findSealedSecret(
  database: TenantDatabase,
  { kind, name }: SecretOwner,
  id: string,
): Promise<string | null> {
  const [row] = await database.read<{ sealed: string }>(sql`
    select s.sealed from signing_secrets s
    where s.id = ${id} and s.kind = ${kind} and s.name = ${name} and (s.signs_until is null or s.signs_until > now())`);
  return row?.sealed ?? null;
}

/** Returns the current secret of a pipeline or webhook; null if it has none, or only a plain one. */
export async function findCurrentSecret(
  database: TenantDatabase,
  { kind, name }: SecretOwner,
): Promise<{ id: string; sealed: string } | null> {
  const [row] = await database.read<{ id: string; sealed: string }>(sql`
    select s.id, s.sealed from signing_secrets s
    where s.kind = ${kind} and s.name = ${name} and s.signs_until is null`);
  return row ?? null;
}

/** The plain secrets that an earlier release stored. */
export interface PlainSecrets {
  secret: string | null;
  previous: string | null;
}

/** Returns the plain secrets of a row, in hex. */
export async function findPlainSecrets(
  database: TenantDatabase,
  { kind, name }: SecretOwner,
): Promise<PlainSecrets> {
  const [row] = await database.read<PlainSecrets>(sql`
    select encode(nullif(o.secret, ''), 'hex') as secret, encode(o.previous_secret, 'hex') as previous
    from ${OWNERS[kind]} o where o.name = ${name}`);
  return row ?? { secret: null, previous: null };
}

/** The statement that stores plain secrets sealed and empties their columns, unless another write was first. */
export function sealPlainStatement(
  tenantId: string,
  { kind, name }: SecretOwner,
  plain: { secret: Uint8Array | null; previous: Uint8Array | null },
  sealed: {
    secret: Omit<NewSecret, "isShown"> | null;
    previous: Omit<NewSecret, "isShown"> | null;
  },
): SQL {
  const isSame = (column: SQL, value: Uint8Array | null) =>
    value === null ? sql`${column} is null` : sql`${column} = ${bytes(value)}`;
  const row = (secret: Omit<NewSecret, "isShown"> | null, end: SQL) =>
    secret === null ? [] : [sql`(${secret.id}::uuid, ${secret.sealed}, ${end})`];
  const rows = sql.join(
    [
      // The row of a pipeline may have got a sealed secret while an earlier release stored this one.
      ...row(
        sealed.secret,
        sql`case when exists (select from signing_secrets s where s.tenant_id = ${tenantId}::uuid and s.kind = ${kind}
          and s.name = ${name} and s.signs_until is null) then now() + ${OVERLAP} end`,
      ),
      ...row(sealed.previous, sql`(select previous_secret_until from was)`),
    ],
    sql`, `,
  );
  return sql`
with was as materialized (
  select o.previous_secret_until from ${OWNERS[kind]} o
  where o.tenant_id = ${tenantId}::uuid and o.name = ${name}
    and ${isSame(sql`nullif(o.secret, '')`, plain.secret)} and ${isSame(sql`o.previous_secret`, plain.previous)}
  for no key update
),
emptied as (
  update ${OWNERS[kind]} o set secret = null, previous_secret = null, previous_secret_until = null
  from was where o.tenant_id = ${tenantId}::uuid and o.name = ${name}
  returning 1
)
insert into signing_secrets (tenant_id, kind, name, id, sealed, signs_until)
select ${tenantId}::uuid, ${kind}, ${name}, v.id, v.sealed, v.signs_until
from emptied, (values ${rows}) v(id, sealed, signs_until)
returning id`;
}
