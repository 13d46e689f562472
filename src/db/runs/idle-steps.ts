import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A task whose current step runs without an open run, and its tenant. */
export interface IdleStepRef {
  tenantId: string;
  taskId: string;
}

/** Returns tasks of every tenant whose current step is idle and not marked yet, those that began to run first. */
export function findIdleSteps(database: Database, rowsMax: number): Promise<IdleStepRef[]> {
  return database.acrossTenants<IdleStepRef>(sql`
    select tenant_id as "tenantId", task_id as "taskId" from idle_steps(${rowsMax}::integer)`);
}
