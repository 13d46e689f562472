import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { RecordedEvent } from "../../domain/lifecycle/fold.ts";
import type { EvalEventType, EvalStatus } from "../../domain/evals/statuses.ts";
import type { StepEventType } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { CANONICAL, EVAL_CANONICAL } from "./history-chain.ts";
import { isTask } from "../tasks/task-match.ts";

/** The members that events of both streams have: actor, reason, call and hashes. */
interface Envelope {
  actor: Actor;
  reason: string | null;
  operationId: string;
  requestId: string;
  registryVersion: number;
  canonical: string;
  prevHash: string;
  hash: string;
}

/** A stored event of a task. Hashes are in hex. */
export interface StepEventRecord extends RecordedEvent, Envelope {
  stream: "task";
  type: StepEventType;
  step: RecordedEvent["step"] & { id: string };
  runAttachedWorkflows: boolean;
  bulkOperationId: string | null;
}

/** A stored event of an eval. Hashes are in hex. */
export interface EvalEventRecord extends Envelope {
  stream: "eval";
  evalId: string;
  taskId: string;
  trialId: string | null;
  seq: number;
  type: EvalEventType;
  fromStatus: EvalStatus | null;
  toStatus: EvalStatus;
  payload: unknown;
  at: string;
}

/** An event of either stream. */
export type EventRecord = StepEventRecord | EvalEventRecord;

/** The members of a RecordedEvent, for json_build_object, from the aliases e (event), s (its step), v (its version). */
const recordedMembers = (payload: SQL) =>
  sql`'taskId', e.task_id, 'seq', e.seq, 'type', e.type, 'stepId', e.step_id,
    'versionId', e.version_id, 'step', json_build_object('id', s.id, 'kind', s.kind, 'attempt', s.attempt),
    'versionNumber', v.number, 'fromStatus', e.from_status, 'toStatus', e.to_status,
    'fromGate', e.from_gate, 'toGate', e.to_gate, 'duplicateOf', e.duplicate_of, 'payload', ${payload}, 'at', iso(e.at)`;

const RECORDED_MEMBERS = recordedMembers(sql`e.payload::json`);
/** Without the data that callers attached to their moves, which can be large and which the fold does not read. */
const FOLDED_MEMBERS = recordedMembers(sql`e.payload::jsonb - 'data'`);

const ENVELOPE_MEMBERS = sql`'actor', json_build_object('id', e.actor_id, 'name', e.actor_name,
      'kind', e.actor_kind, 'role', e.actor_role),
    'reason', e.reason, 'operationId', e.operation_id, 'requestId', e.request_id,
    'registryVersion', e.registry_version, 'prevHash', encode(e.prev_hash, 'hex'), 'hash', encode(e.hash, 'hex')`;

/** A StepEventRecord as JSON, from the aliases e (event), s (its step), v (its version). */
export const STEP_EVENT_JSON = sql`json_build_object('stream', 'task', ${RECORDED_MEMBERS}, ${ENVELOPE_MEMBERS},
    'runAttachedWorkflows', e.run_attached_workflows,
    'bulkOperationId', e.bulk_operation_id, 'canonical', ${CANONICAL})`;

/** An EvalEventRecord as JSON, from the alias e. */
export const EVAL_EVENT_JSON = sql`json_build_object('stream', 'eval', ${ENVELOPE_MEMBERS}, 'evalId', e.eval_id,
    'taskId', e.task_id, 'trialId', e.trial_id, 'seq', e.seq, 'type', e.type, 'fromStatus', e.from_status,
    'toStatus', e.to_status, 'payload', e.payload::json, 'at', iso(e.at), 'canonical', ${EVAL_CANONICAL})`;

/** Joins the event's step and version. The statements read only columns that never change. */
export const EVENT_JOINS = sql`join steps s on s.tenant_id = e.tenant_id and s.id = e.step_id
      join task_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id`;

/** Selects the event at `placed` (tenant_id, task_id, eval_id, seq), of either stream, as the column `event`. */
export const EVENT_AT_PLACE: SQL = sql`
  select ${STEP_EVENT_JSON} as event from step_events e ${EVENT_JOINS}
  where placed.eval_id is null and e.tenant_id = placed.tenant_id and e.task_id = placed.task_id
    and e.seq = placed.seq
  union all
  select ${EVAL_EVENT_JSON} from eval_step_events e
  where e.tenant_id = placed.tenant_id and e.eval_id = placed.eval_id and e.seq = placed.seq`;

/** The last moment of a history to read, inclusive. */
export type Until = { seq: number } | { time: string };

/** A task's history up to a moment. */
export interface TaskHistoryRecord {
  /** The seq of the task's newest event, which may be after that moment. */
  newestSeq: number;
  events: RecordedEvent[];
}

/** Returns the events of a task up to a moment, for the fold; null if there is no such task. */
export async function readHistory(
  database: TenantDatabase,
  task: TaskRef,
  until: Until,
): Promise<TaskHistoryRecord | null> {
  const within =
    "seq" in until ? sql`e.seq <= ${until.seq}` : sql`e.at <= ${until.time}::timestamptz`;
  const [row] = await database.read<TaskHistoryRecord>(sql`
    select t.event_seq as "newestSeq", coalesce((
      select json_agg(json_build_object(${FOLDED_MEMBERS}) order by e.seq)
      from step_events e ${EVENT_JOINS}
      where e.tenant_id = t.tenant_id and e.task_id = t.id and ${within}), '[]') as events
    from tasks t where ${isTask(task)}`);
  return row ?? null;
}

/**
 * A task's events up to a seq as JSON: the members that the fold reads, and the bulk operation.
 */
export function historyTo(taskId: SQL, seq: SQL): SQL {
  return sql`(select json_agg(json_build_object(${FOLDED_MEMBERS},
      'bulkOperationId', e.bulk_operation_id) order by e.seq)
    from step_events e ${EVENT_JOINS} where e.task_id = ${taskId} and e.seq <= ${seq})`;
}
