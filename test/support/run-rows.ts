import type { TestDatabase } from "./database.ts";

/**
 * Delivers what these tasks have dispatched as it is where the pipeline has no endpoint: the runs are made, and wait
 * for workers that poll. Their ids, the oldest first.
 */
export async function offerDispatched(
  database: TestDatabase,
  taskIds: readonly string[],
): Promise<string[]> {
  const rows = await database.query(
    "owner",
    `with due as (
      select * from pipeline_dispatches where state in ('pending', 'sent')
        and task_id in (select value::uuid from json_array_elements_text($1::json))
    ), delivered as (
      update pipeline_dispatches d set state = 'delivered' from due where d.id = due.id
    ), logged as (
      insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name)
      select tenant_id, new_id(), id, from_state, to_state, 'system', 'A test' from (
        select tenant_id, id, 'pending' as from_state, 'sent' as to_state, 1 as turn from due where state = 'pending'
        union all select tenant_id, id, 'sent', 'delivered', 2 from due) change order by turn
    )
    insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
      deadline_at, created_by)
    select tenant_id, new_id(), task_id, version_id, step_id, upper(pipeline), 'QUEUED', id, true,
      now() + interval '1 hour', 'system' from due order by id
    returning id`,
    [JSON.stringify(taskIds)],
  );
  return rows.map(({ id }) => id ?? "").toSorted();
}

/** Lets the time of these runs pass: their leases and their deadlines are over. */
export async function passDeadlines(
  database: TestDatabase,
  runIds: readonly string[],
): Promise<void> {
  await database.query(
    "owner",
    `update worker_runs set deadline_at = now() - interval '1 second',
       lease_until = case when lease_until is not null then now() - interval '1 second' end
     where id in (select value::uuid from json_array_elements_text($1::json))`,
    [JSON.stringify(runIds)],
  );
}

/** Lets the leases of these runs end. */
export async function endLeases(database: TestDatabase, runIds: readonly string[]): Promise<void> {
  await database.query(
    "owner",
    `update worker_runs set lease_until = now() - interval '1 second'
     where id in (select value::uuid from json_array_elements_text($1::json))`,
    [JSON.stringify(runIds)],
  );
}
