import type { Client } from "pg";

/** Few enough that callers who wait for one of their rows do not give up. */
const FILLED_TASKS = 1000;

interface Position {
  last_tenant: string;
  last_id: string;
}

/**
 * Sets the keys of tasks from before the columns existed, each part in a transaction of its own. Every run reads all
 * tasks, because an interrupted run leaves gaps.
 */
export async function fillTaskKeys(client: Client): Promise<void> {
  let position: Position | null = { last_tenant: NO_ID, last_id: NO_ID };
  while (position !== null) position = await fillNextTasks(client, position);
}

async function fillNextTasks(client: Client, after: Position): Promise<Position | null> {
  const { rows } = await client.query<Position | { last_id: null }>(
    "select * from fill_task_keys($1, $2, $3)",
    [after.last_tenant, after.last_id, FILLED_TASKS],
  );
  const [next] = rows;
  return next === undefined || next.last_id === null ? null : next;
}

const NO_ID = "00000000-0000-0000-0000-000000000000";
