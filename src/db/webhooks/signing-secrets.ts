import { type SQL, sql } from "drizzle-orm";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";

/** What a write of something that has a secret stores for a repeat: never the secret. */
export interface StoredWithSecret<Record> {
  record: Record;
  operationId: string;
  /** Whether the secret that the service made for this call became its secret. */
  isSecretMade: boolean;
}

/**
 * Writes one such thing, as its operation; where there is none, the operation leaves no trace. `change` returns the
 * columns `record` and `"isSecretMade"`; `effects` are further CTEs, which may read from it as `changed`.
 */
export function writeWithSecret<Record>(
  database: TenantDatabase,
  operation: Operation,
  change: SQL,
  effects: SQL = sql``,
): Promise<Written<StoredWithSecret<Record>>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with changed as (${change})${effects},
${keepOrDrop(
  { tenantId, operation },
  {
    from: sql`changed`,
    result: sql`json_build_object('record', changed.record, 'operationId', o.id,
    'isSecretMade', changed."isSecretMade")`,
  },
)}
select record, ${operation.id} as "operationId", "isSecretMade" from changed`,
  ]);
}

/** Another secret, and for how long the one before signs along. */
export interface SecretRotation {
  made: Uint8Array;
  keptHours: number;
}

/** From now on: until when the secret before signs along. */
export function keptUntil(hours: number): SQL {
  return sql`now() + make_interval(hours => ${hours}::integer)`;
}

/** The member that tells of it, of the row with this alias. */
export function previousSecretMember(alias: SQL): SQL {
  return sql`'previousSecretUntil', case when ${alias}.previous_secret_until > now()
    then iso(${alias}.previous_secret_until) end`;
}

/** The secrets that sign for a row, in hex: the one of now, and the one before while it is kept. */
export function signingSecrets(alias: SQL): SQL {
  return sql`array_remove(array[encode(${alias}.secret, 'hex'), case when ${alias}.previous_secret_until > now()
    then encode(${alias}.previous_secret, 'hex') end], null)`;
}
