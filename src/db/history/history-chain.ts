import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { NO_HEAD } from "./event-ctes.ts";
import { isTask } from "../tasks/task-match.ts";

/**
 * The canonical text of an event, recomputed from its columns, from the alias e. The event's hash is over this text.
 */
export const CANONICAL = sql`step_event_canonical(e.tenant_id, e.task_id, e.seq, e.version_id, e.step_id, e.type,
      e.from_status, e.to_status, e.from_gate, e.to_gate, e.actor_id, e.actor_name, e.actor_kind, e.actor_role,
      e.reason, e.payload, e.duplicate_of, e.run_attached_workflows, e.bulk_operation_id, e.operation_id,
      e.request_id, e.registry_version, e.at)`;

/** The canonical text of an eval's event. */
export const EVAL_CANONICAL = sql`eval_event_canonical(e.tenant_id, e.eval_id, e.seq, e.task_id, e.trial_id, e.type,
      e.from_status, e.to_status, e.actor_id, e.actor_name, e.actor_kind, e.actor_role, e.reason, e.payload,
      e.operation_id, e.request_id, e.registry_version, e.at)`;

export const CHAIN_FAULTS = ["missing", "broken_link", "changed", "head_differs"] as const;
/**
 * How a history can be broken: an event is missing; it does not link to the previous event; its columns do not match
 * its hash; or the head is not the hash of the last event.
 */
export type ChainFault = (typeof CHAIN_FAULTS)[number];

export interface ChainVerdict {
  events: number;
  /** The hash in the row of the task or eval, in hex. */
  head: string;
  firstBroken: { seq: number; reason: ChainFault } | null;
}

/** Recomputes the hash chain of a task from its columns; null if there is no such task. */
export function verifyHistory(
  database: TenantDatabase,
  task: TaskRef,
): Promise<ChainVerdict | null> {
  return verifyChain(database, {
    holder: sql`select t.tenant_id, t.id, t.event_seq, t.event_head from tasks t where ${isTask(task)}`,
    events: sql`step_events e on e.tenant_id = holder.tenant_id and e.task_id = holder.id`,
    canonical: CANONICAL,
  });
}

/** Recomputes the hash chain of an eval from its columns; null if there is no such eval. */
export function verifyEvalHistory(
  database: TenantDatabase,
  evalId: string,
): Promise<ChainVerdict | null> {
  return verifyChain(database, {
    holder: sql`select v.tenant_id, v.id, v.event_seq, v.event_head from evals v where v.id = ${evalId}`,
    events: sql`eval_step_events e on e.tenant_id = holder.tenant_id and e.eval_id = holder.id`,
    canonical: EVAL_CANONICAL,
  });
}

interface Chain {
  /** Selects the row that has the head: a task or an eval. */
  holder: SQL;
  /** The events of the chain, as a join with the alias e. */
  events: SQL;
  /** The canonical text of an event. */
  canonical: SQL;
}

async function verifyChain(
  database: TenantDatabase,
  { holder, events, canonical }: Chain,
): Promise<ChainVerdict | null> {
  const [row] = await database.read<ChainVerdict>(sql`
with holder as materialized (${holder}),
chained as materialized (
  select e.seq, e.hash, e.prev_hash,
    row_number() over by_seq as place,
    lag(e.hash, 1, ${NO_HEAD}) over by_seq as hash_before,
    chain_link(null, e.prev_hash, ${canonical}) as recomputed_hash
  from holder join ${events}
  window by_seq as (order by e.seq)
),
faults as (
  select place as seq, 'missing' as reason from chained where seq <> place
  union all
  select seq, 'broken_link' from chained where seq = place and prev_hash <> hash_before
  union all
  select seq, 'changed' from chained where seq = place and hash <> recomputed_hash
  union all
  select (select count(*) from chained) + 1, 'missing' from holder
    where event_seq > (select count(*) from chained)
  union all
  select holder.event_seq + 1, 'head_differs' from holder
    where event_seq < (select count(*) from chained)
  union all
  select holder.event_seq, 'head_differs' from holder
    where event_head is distinct from (select hash from chained order by seq desc limit 1)
)
select (select count(*)::integer from chained) as events, encode(holder.event_head, 'hex') as head,
  (select json_build_object('seq', seq, 'reason', reason) from faults
    order by seq, array_position(${sql.raw(`array['${CHAIN_FAULTS.join("', '")}']`)}, reason) limit 1) as "firstBroken"
from holder`);
  return row ?? null;
}
