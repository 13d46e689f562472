import { deliverDispatch } from "../../src/actions/dispatches/deliver-dispatch.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { workerTypeSql } from "../../src/db/dispatches/pipeline-sql.ts";
import type { SqlStatement, TestDatabase } from "./database.ts";
import { testOutbound } from "./outbound.ts";

/** How many are delivered concurrently. */
const DELIVERIES_MAX = 16;

/**
 * Delivers the dispatches of these tasks, whose pipelines have no endpoint. This creates runs that wait for polling
 * workers. Returns their ids, oldest first.
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

/** The statements of a delivery to a pipeline without an endpoint, so that a test can choose when they run. */
export function offering(dispatchId: string): SqlStatement[] {
  return [
    {
      text: `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
          deadline_at, created_by)
        select tenant_id, new_id(), task_id, version_id, step_id, ${workerTypeSql("pipeline")}, 'QUEUED', id, true,
          now() + interval '1 hour', 'system' from pipeline_dispatches where id = $1`,
      values: [dispatchId],
    },
    {
      text: `insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name)
        select tenant_id, new_id(), id, state, 'delivered', 'system', 'Delivery' from pipeline_dispatches where id = $1`,
      values: [dispatchId],
    },
    {
      text: "update pipeline_dispatches set state = 'delivered' where id = $1",
      values: [dispatchId],
    },
  ];
}
