import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { Operation } from "../connection/client.ts";
import type { Bound } from "../connection/prepared.ts";

// How the writing statements serialize, chain and insert events. The hash is over the canonical text, and verification
// recomputes that text from the columns. The values that are serialized and the values that are inserted must match.

/** The actor and the call that all events of the call name. */
export interface EventSource {
  actor: Actor;
  operation: Operation;
  requestId: string;
  registryVersion: number;
}

/** An EventSource as inputs of a statement. */
interface SourceInputs {
  actor: Readonly<Record<"id" | "name" | "kind" | "role", Bound<string>>>;
  operation: { id: Bound<string> };
  requestId: Bound<string>;
  registryVersion: Bound<number>;
}

/** The source of task events, which may belong to a bulk operation. */
export interface StepSourceInputs extends SourceInputs {
  bulk: { id: string } | null;
}

/** The rows that `eventRows` created, under the alias e. */
export function stepEventInput(events: Bound<string>): SQL {
  return sql`json_to_recordset(${events}) as e(
      task_id uuid, ordinal integer, version_id uuid, step_id uuid, type text,
      from_status text, to_status text, from_gate text, to_gate text,
      reason text, payload text, duplicate_of uuid, run_attached_workflows boolean)`;
}

/**
 * CTEs that compute `chained` from `event`, whose rows have a seq, a time and the head of the task before them. With
 * `isOneEach`, no task has more than one event, and the chain needs no window function.
 */
export function chainedStepEvents(
  tenantId: Bound<string>,
  source: StepSourceInputs,
  { isOneEach = false } = {},
): SQL {
  return sql`spelled as materialized (
  select *, step_event_canonical(${tenantId}::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, ${actorValues(source)},
    reason, payload, duplicate_of, run_attached_workflows, ${source.bulk?.id ?? null}::uuid,
    ${callValues(source)}, at) as canonical
  from event
),
${isOneEach ? CHAINED_EACH : chained(sql`task_id`)}`;
}

/** The insert of the events in `from`, by default all of `chained`. */
export function insertedStepEvents(
  tenantId: Bound<string>,
  source: StepSourceInputs,
  from: SQL = sql`chained`,
): SQL {
  return sql`insert into step_events (tenant_id, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows, bulk_operation_id,
    actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select ${tenantId}::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows,
    ${source.bulk?.id ?? null}::uuid, ${actorValues(source)}, reason, payload,
    ${callValues(source)}, at, prev_hash, hash
  from ${from} order by task_id, seq
  returning task_id, seq, version_id, step_id, type, from_status, to_status, to_gate, at, hash`;
}

/** Like `chainedStepEvents`, for the event stream of an eval. */
export function chainedEvalEvents(tenantId: Bound<string>, source: SourceInputs): SQL {
  return sql`spelled as materialized (
  select *, eval_event_canonical(${tenantId}::uuid, eval_id, seq, task_id, trial_id, type, from_status, to_status,
    ${actorValues(source)}, reason, payload, ${callValues(source)}, at) as canonical
  from event
),
${chained(sql`eval_id`)}`;
}

export function insertedEvalEvents(tenantId: Bound<string>, source: SourceInputs): SQL {
  return sql`insert into eval_step_events (tenant_id, eval_id, seq, task_id, trial_id, type, from_status, to_status,
    actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select ${tenantId}::uuid, eval_id, seq, task_id, trial_id, type, from_status, to_status,
    ${actorValues(source)}, reason, payload, ${callValues(source)}, at, prev_hash, hash
  from chained order by eval_id, seq
  returning eval_id, seq, task_id, trial_id, type, to_status, at, hash`;
}

/** The hash before event 1: 32 zero bytes. */
export const NO_HEAD = sql`decode(repeat('00', 32), 'hex')`;

const CHAINED_EACH = sql`chained as materialized (
  select *, chain_link(null, event_head, canonical) as hash, event_head as prev_hash from spelled
)`;

/** Hashes each event's text together with the previous hash, in the stream of its owner. */
function chained(owner: SQL): SQL {
  return sql`linked as materialized (
  select *, chain_hash(event_head, canonical)
    over (partition by ${owner} order by ordinal rows unbounded preceding) as hash
  from spelled
),
chained as materialized (
  select *, coalesce(lag(hash) over (partition by ${owner} order by ordinal), event_head) as prev_hash
  from linked
)`;
}

function actorValues({ actor }: SourceInputs): SQL {
  return sql`${actor.id}::text, ${actor.name}::text, ${actor.kind}::text, ${actor.role}::text`;
}

function callValues({ operation, requestId, registryVersion }: SourceInputs): SQL {
  return sql`${operation.id}::uuid, ${requestId}::text, ${registryVersion}::integer`;
}
