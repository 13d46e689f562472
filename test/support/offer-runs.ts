import { deliverDispatch } from "../../src/actions/deliver-dispatch.ts";
import { openDatabase } from "../../src/db/client.ts";
import type { TestDatabase } from "./database.ts";
import { testOutbound } from "./outbound.ts";

/** As many as are delivered at once. */
const DELIVERIES_MAX = 16;

/**
 * Delivers what these tasks have dispatched, whose pipelines have no endpoint: the runs are made, and wait for workers
 * that poll. Their ids, the oldest first.
 */
export async function offerDispatched(
  database: TestDatabase,
  taskIds: readonly string[],
): Promise<string[]> {
  const due = await database.query(
    "owner",
    `select tenant_id, id from pipeline_dispatches where state in ('pending', 'sent')
       and task_id in (select value::uuid from json_array_elements_text($1::json)) order by id`,
    [JSON.stringify(taskIds)],
  );
  const ids = due.map(({ id }) => id);
  const opened = openDatabase(database);
  while (due.length > 0) {
    const deliveries = due.splice(0, DELIVERIES_MAX).map(({ tenant_id: tenantId, id }) => {
      const tools = { database: opened.forTenant(String(tenantId)), outbound: testOutbound() };
      return deliverDispatch({ ...tools, now: new Date() }, String(id));
    });
    await Promise.all(deliveries);
  }
  const runs = await database.query(
    "owner",
    `select id from worker_runs where offered
       and dispatch_id in (select value::uuid from json_array_elements_text($1::json)) order by id`,
    [JSON.stringify(ids)],
  );
  return runs.map(({ id }) => String(id));
}
