import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A dispatch of some tenant's. */
export interface DispatchRef {
  tenantId: string;
  id: string;
}

/**
 * Claims dispatches whose time has come, those that were sent and never heard of among them: nobody else is handed
 * them for a minute.
 */
export function claimDispatches(database: Database, rowsMax: number): Promise<DispatchRef[]> {
  return database.acrossTenants<DispatchRef>(sql`
    select tenant_id as "tenantId", id from claim_dispatches(${rowsMax}::integer)`);
}

/** Says that their messages are on disk. One that was delivered or called back meanwhile stays as it is. */
export async function markDispatchesSent(
  database: Database,
  sent: readonly DispatchRef[],
): Promise<void> {
  if (sent.length === 0) return;
  const rows = JSON.stringify(sent.map(({ tenantId, id }) => ({ tenant_id: tenantId, id })));
  await database.acrossTenants(sql`select mark_dispatches_sent(${rows}::json)`);
}
