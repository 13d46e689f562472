import { sql } from "drizzle-orm";
import type { TaskRef } from "../domain/task-ref.ts";
import type { TenantDatabase } from "./client.ts";
import { isTask } from "./task-match.ts";

/** The text that an event's hash is over, spelled anew from its columns; `e` is the alias of the event. */
export const CANONICAL = sql`step_event_canonical(e.tenant_id, e.task_id, e.seq, e.version_id, e.step_id, e.type,
      e.from_status, e.to_status, e.from_gate, e.to_gate, e.actor_id, e.actor_name, e.actor_kind, e.actor_role,
      e.reason, e.payload, e.duplicate_of, e.run_attached_workflows, e.bulk_operation_id, e.operation_id,
      e.request_id, e.registry_version, e.at)`;

export const CHAIN_FAULTS = ["missing", "broken_link", "changed", "head_differs"] as const;
/**
 * How a history can be found broken: an event is not there; it does not follow the one before it; its columns are
 * not those that were hashed; or the task's head is not the last event's hash.
 */
export type ChainFault = (typeof CHAIN_FAULTS)[number];

export interface ChainVerdict {
  events: number;
  /** The hash on the task's own row, in hex. */
  head: string;
  firstBroken: { seq: number; reason: ChainFault } | null;
}

/** Recomputes the hash chain of a task from its columns; null where there is no such task. */
export async function verifyHistory(
  database: TenantDatabase,
  task: TaskRef,
): Promise<ChainVerdict | null> {
  const [row] = await database.read<ChainVerdict>(sql`
with task as materialized (
  select t.tenant_id, t.id, t.event_seq, t.event_head from tasks t where ${isTask(task)}
),
chained as materialized (
  select e.seq, e.hash, e.prev_hash,
    row_number() over by_seq as place,
    -- Before event 1 stand 32 zero bytes.
    lag(e.hash, 1, decode(repeat('00', 32), 'hex')) over by_seq as hash_before,
    chain_link(null, e.prev_hash, ${CANONICAL}) as hash_anew
  from task join step_events e on e.tenant_id = task.tenant_id and e.task_id = task.id
  window by_seq as (order by e.seq)
),
faults as (
  select place as seq, 'missing' as reason from chained where seq <> place
  union all
  select seq, 'broken_link' from chained where seq = place and prev_hash <> hash_before
  union all
  select seq, 'changed' from chained where seq = place and hash <> hash_anew
  union all
  select (select count(*) from chained) + 1, 'missing' from task
    where event_seq > (select count(*) from chained)
  union all
  select task.event_seq + 1, 'head_differs' from task
    where event_seq < (select count(*) from chained)
  union all
  select task.event_seq, 'head_differs' from task
    where event_head is distinct from (select hash from chained order by seq desc limit 1)
)
select (select count(*)::integer from chained) as events, encode(task.event_head, 'hex') as head,
  (select json_build_object('seq', seq, 'reason', reason) from faults
    order by seq, array_position(${sql.raw(`array['${CHAIN_FAULTS.join("', '")}']`)}, reason) limit 1) as "firstBroken"
from task`);
  return row ?? null;
}
