import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A task and its tenant. */
export interface TaskOfTenant {
  tenantId: string;
  id: string;
}

/** Returns tasks of every tenant whose current step was blocked by hand before holds existed. */
export function findBlockedSteps(database: Database, rowsMax: number): Promise<TaskOfTenant[]> {
  return database.acrossTenants<TaskOfTenant>(sql`
    select tenant_id as "tenantId", task_id as id from blocked_steps(${rowsMax}::integer)`);
}
