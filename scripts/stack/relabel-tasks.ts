import type { Client } from "pg";

/** Tasks that one transaction labels: a move of one of them waits for a fraction of a second at most. */
const CHUNK_TASKS = 5000;

const ZERO = "00000000-0000-0000-0000-000000000000";

/**
 * Computes the label of every task again, in place and in one short transaction for each chunk. Reads and moves go on
 * meanwhile.
 */
export async function relabelTasks(client: Client): Promise<void> {
  // Waits for statements that still label tasks by the functions before the migration. The lock itself ends at once.
  await client.query("begin; lock table task_labels in share row exclusive mode; commit");
  let [tenant, task] = [ZERO, ZERO];
  for (;;) {
    const { rows } = await client.query<{ last_tenant: string; last_task: string }>(
      "select last_tenant, last_task from relabel_tasks($1, $2, $3)",
      [tenant, task, CHUNK_TASKS],
    );
    const [chunk] = rows;
    if (chunk === undefined) return;
    [tenant, task] = [chunk.last_tenant, chunk.last_task];
  }
}
