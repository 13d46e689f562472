import { Client } from "pg";

/**
 * Makes everything due that waits for a queue message. A local queue keeps its messages in memory, so that they are
 * lost when workerd ends, while the platform's queue delivers them again. The next sweep then finds all of it, and not
 * only what has been waiting for minutes. Use it only on a database whose queues are known to be empty: elsewhere, it
 * would send what is on its way a second time.
 */
export async function makeQueuedWorkDue(ownerUrl: string): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  // Without a listener, a server that is killed would end this process. The statement fails, too.
  client.on("error", () => {});
  await client.connect();
  try {
    for (const statement of STATEMENTS) await client.query(statement);
  } finally {
    await client.end();
  }
}

// Rows are locked in the order of their ids, like everywhere: statements of the killed Worker may still be running.

/** Longer ago than claim_halted_operations requires. */
const OPERATIONS = `
update bulk_operations b set progress_at = now() - interval '1 day'
from (select tenant_id, id from bulk_operations where state in ('queued', 'running')
  order by tenant_id, id for update) l
where b.tenant_id = l.tenant_id and b.id = l.id`;

/** The lease of a consumer that was killed is void. `not_before` still delays a retry. */
const DISPATCHES = `
update pipeline_dispatches d set next_attempt_at = now(), lease_owner = null, lease_until = null
from (select tenant_id, id from pipeline_dispatches where state in ('pending', 'sent')
  order by tenant_id, id for update) l
where d.tenant_id = l.tenant_id and d.id = l.id`;

/** `next_attempt_at` still delays a retry. */
const DELIVERIES = `
update webhook_deliveries d set relay_at = now(), lease_owner = null, lease_until = null
from (select tenant_id, id from webhook_deliveries where state = 'pending'
  order by tenant_id, id for update) l
where d.tenant_id = l.tenant_id and d.id = l.id`;

/** Longer ago than claim_due_seed_runs requires. The time in which nothing ran does not count (its comment). */
const SEED_RUNS = `
update seed_runs r set lease_holder = null, lease_until = null,
  tick_due_at = least(r.tick_due_at, now() - interval '1 day'),
  ticked_at = least(r.tick_due_at, now() - interval '1 day') - (r.tick_due_at - r.ticked_at)
from (select tenant_id, id from seed_runs where state in ('active', 'deleting')
  order by tenant_id, id for update) l
where r.tenant_id = l.tenant_id and r.id = l.id`;

const STATEMENTS = [OPERATIONS, DISPATCHES, DELIVERIES, SEED_RUNS];
