import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A dispatch and its tenant. */
export interface DispatchRef {
  tenantId: string;
  id: string;
}

/**
 * Claims dispatches that are due, including those whose message was sent and got lost. No other call gets them for a
 * minute.
 */
export function claimDispatches(database: Database, rowsMax: number): Promise<DispatchRef[]> {
  return database.acrossTenants<DispatchRef>(sql`
    select tenant_id as "tenantId", id from claim_dispatches(${rowsMax}::integer)`);
}

/**
 * Records that the queue has stored their messages. A dispatch that was delivered or recalled in between is unchanged.
 */
export async function markDispatchesSent(
  database: Database,
  sent: readonly DispatchRef[],
): Promise<void> {
  if (sent.length === 0) return;
  const rows = JSON.stringify(sent.map(({ tenantId, id }) => ({ tenant_id: tenantId, id })));
  await database.acrossTenants(sql`select mark_dispatches_sent(${rows}::json)`);
}
