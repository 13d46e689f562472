import { type SQL, sql } from "drizzle-orm";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";

/** What the ledger stores for a write to a pipeline or webhook. It never contains the secret. */
export interface StoredWithSecret<Record> {
  record: Record;
  operationId: string;
  /** Whether the secret that was generated for this call is the present one. */
  isSecretMade: boolean;
}

/**
 * Writes a row that has a signing secret, and stores the operation's result. If `change` returns no row, the operation
 * is dropped. `change` returns the columns `record` and `"isSecretMade"`; `effects` are further CTEs, which can read
 * them from `changed`.
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

/** A new secret, and how long the previous one also signs. */
export interface SecretRotation {
  generated: Uint8Array;
  previousHours: number;
}

/** When the previous secret stops signing, if the rotation is now. */
export function keptUntil(hours: number): SQL {
  return sql`now() + make_interval(hours => ${hours}::integer)`;
}

/** The JSON member `previousSecretUntil` of the row with this alias; null if the previous secret no longer signs. */
export function previousSecretMember(alias: SQL): SQL {
  return sql`'previousSecretUntil', case when ${alias}.previous_secret_until > now()
    then iso(${alias}.previous_secret_until) end`;
}

/** The secrets that sign for a row, in hex: the present one and, until it expires, the previous one. */
export function signingSecrets(alias: SQL): SQL {
  return sql`array_remove(array[encode(${alias}.secret, 'hex'), case when ${alias}.previous_secret_until > now()
    then encode(${alias}.previous_secret, 'hex') end], null)`;
}
