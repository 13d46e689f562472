import { type SQL, sql } from "drizzle-orm";
import type { Database, Operation, TenantDatabase, Written } from "../connection/client.ts";
import type { Bound } from "../connection/prepared.ts";

/** The call in the ledger. */
interface LedgerEntry {
  tenantId: Bound<string>;
  operation: { id: Bound<string> };
}

/** What a statement stores for a repeat of the call. */
interface LedgerResult {
  /** A CTE of the statement. It has one row if something was written, and otherwise none. */
  from: SQL;
  /** The result to store, from the columns of that CTE. */
  result: SQL;
  /** For a CTE that always has one row: the conditions that something was written, and that nothing was. */
  when?: { keepIf: SQL; dropIf: SQL };
}

/**
 * The CTEs `stored` and `dropped`, which end every statement that writes an operation. They store the result, or delete
 * the operation's row if nothing was written, so that a retry under the same key is decided again.
 */
export function keepOrDrop(
  { tenantId, operation }: LedgerEntry,
  { from, result, when }: LedgerResult,
): SQL {
  const isCall = sql`o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid`;
  return sql`stored as (
  update operations o set result = ${result}
  from ${from}
  where ${isCall}
    and ${when?.keepIf ?? sql`true`}
),
dropped as (
  delete from operations o${when ? sql` using ${from}` : sql``}
  where ${isCall}
    and ${when?.dropIf ?? sql`not exists (select from ${from})`}
)`;
}

/** The statement that stores a result unconditionally. */
export function keepResult(operationId: string, result: unknown): SQL {
  return sql`update operations set result = ${JSON.stringify(result)}::json where id = ${operationId} returning id`;
}

/**
 * Records the answer of a call that had nothing to write. A retry under its key gets the same answer, even if it
 * would write something now.
 */
export function recordAnswer(
  database: TenantDatabase,
  operation: Operation,
  result: unknown,
): Promise<Written<{ id: string }>> {
  return database.write(operation, [keepResult(operation.id, result)]);
}

/** Deletes expired operations of every tenant, and returns how many. */
export async function deleteExpired(database: Database, rowsMax: number): Promise<number> {
  const [row] = await database.acrossTenants<{ expired: number }>(
    sql`select expire_operations(${rowsMax}::integer) as expired`,
  );
  return row?.expired ?? 0;
}
