import { type SQL, sql } from "drizzle-orm";
import type { Decision } from "../domain/lifecycle/decision.ts";
import type { TaskFields, TaskSnapshot } from "../domain/lifecycle/snapshot.ts";
import { type Pipeline, STATUS_RELEVANT_WORKER_TYPES } from "../domain/lifecycle/statuses.ts";
import { type BulkRecord, closeItems, openBulk } from "./bulk-ledger.ts";
import type { TenantDatabase, Written } from "./client.ts";
import { dispatchRows, eventRows, stepRows, versionRows } from "./decision-rows.ts";
import {
  chainedStepEvents,
  type EventSource,
  insertedStepEvents,
  stepEventInput,
} from "./event-ctes.ts";
import { type FoundRun, hasRunAsFound, lockRuns, runAllowance } from "./run-guards.ts";
import { HEARS_TASKS } from "./webhook-outbox.ts";

/** A decided move: the writer applies it if the task is still at `snapshot.eventSeq`, else not at all. */
export interface Move {
  snapshot: TaskSnapshot;
  decision: Decision;
  /** The run that it was decided on: where somebody changed it since, the move is left alone too. */
  run?: FoundRun | undefined;
}

/** Who moves, why the database should believe it, and what a repeat of the call will be answered. */
export interface MoveCall extends EventSource {
  /** Stored as it is: the answer is rendered from it, the first time and at each repeat. */
  answer: unknown;
  bulk: BulkRecord | null;
  /** Whether the operation stays where nothing was written: such an answer is one to be repeated. */
  isKeptIfEmpty: boolean;
}

/** An event as it was written: the numbers, times and hashes that only the writer knows. */
export interface WrittenEvent {
  taskId: string;
  seq: number;
  at: string;
  canonical: string;
  prevHash: string;
  hash: string;
}

export interface WrittenDispatch {
  id: string;
  pipeline: Pipeline;
  taskId: string;
}

/** What the statement wrote. A task that moved since it was loaded has no event here. */
export interface RecordedMoves {
  events: WrittenEvent[];
  dispatched: WrittenDispatch[];
}

/** What the ledger keeps of a call, and what its answer is rendered from. */
export interface StoredMoves<Answer> extends RecordedMoves {
  answer: Answer;
}

/**
 * The one writer: records any number of decided moves in one round trip, each task whole or not at all.
 * Tasks whose event_seq is no longer the planned one are left alone. Where nothing was written, the
 * operation leaves no trace unless the call says so, so that a later try is judged afresh.
 */
export async function recordMoves(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall,
): Promise<Written<RecordedMoves>> {
  const { tenantId } = database;
  // What leaves or ends a step takes with it whatever was opened on that step, up to this moment. A statement sees
  // what was there when it began: so the locks are got in one before.
  // A run is not guarded by its task's event_seq, since whoever claims one writes no event: it is locked likewise.
  const isLeaving = moves.some(({ decision }) => decision.recall !== null);
  const runs = moves.flatMap(({ run }) => run ?? []);
  const written = await database.write<RecordedMoves & Heard>(call.operation, [
    ...(call.bulk ? openBulk(tenantId, call.bulk) : []),
    ...(isLeaving || runs.length > 0 ? [lockStatement(tenantId, moves)] : []),
    ...(runs.length > 0 ? [lockRuns(tenantId, runs)] : []),
    moveStatement(tenantId, moves, call),
  ]);
  return toldOutside(database, written);
}

/** Whether webhooks of the tenant listen to what was written. */
export interface Heard {
  isHeard: boolean;
}

/** Notes what is to leave the database now that it is committed. */
export function toldOutside<Recorded extends RecordedMoves & Heard>(
  { outgoing }: TenantDatabase,
  written: Written<Recorded>,
): Written<Recorded> {
  if (written.outcome === "written") {
    const [row] = written.rows;
    outgoing.dispatches ||= (row?.dispatched.length ?? 0) > 0;
    outgoing.events ||= row?.isHeard === true && row.events.length > 0;
  }
  return written;
}

/** The column of `Heard`. */
export const isHeard = (tenantId: string) =>
  sql`exists (select from webhooks w where w.tenant_id = ${tenantId}::uuid and ${HEARS_TASKS}) as "isHeard"`;

/** In id order, like every other lock of tasks. */
function lockStatement(tenantId: string, moves: readonly Move[]): SQL {
  const ids = JSON.stringify(moves.map(({ snapshot }) => snapshot.id));
  return sql`select from tasks t
    where t.tenant_id = ${tenantId}::uuid and t.id in (select value::uuid from json_array_elements_text(${ids}))
    order by t.id for no key update of t`;
}

/**
 * One statement for single and bulk moves. The order is part of the design: lock, events, opened versions and
 * steps, steps, version pointer, task pointer. Every write after the events reads from the rows that the
 * event insert returned: where no event was written, nothing is.
 */
function moveStatement(tenantId: string, moves: readonly Move[], call: MoveCall): SQL {
  const { actor, operation } = call;
  const input = moveInput(moves);
  return sql`
with
move as materialized (
  select * from json_to_recordset(${input.moves}) as m(
    task_id uuid, seq integer, step_id uuid, version_id uuid, fields json, archive boolean)
),
-- In id order, and task rows alone: nothing of a task changes without its event_seq, so what was planned
-- about its step still holds; a join with the step could lose the row when a rival moves the pointer.
locked as materialized (
  select t.id, t.event_seq, t.event_head, t.updated_at
  from move m join tasks t on t.id = m.task_id and t.event_seq = m.seq
  where t.tenant_id = ${tenantId}::uuid ${hasRunAsFound(tenantId, moves)}
  order by t.id
  for no key update of t
),
event as materialized (
  select l.event_head, l.event_seq + e.ordinal as seq,
    -- A scalar subquery, so that the clock is read once: the events of a call have one time.
    greatest((select clock_timestamp()), l.updated_at) as at, e.*
  from ${stepEventInput(input.events)}
    join locked l on l.id = e.task_id
),
${chainedStepEvents(tenantId, call)},
written as (
  ${insertedStepEvents(tenantId, call)}
),
newest as materialized (
  select distinct on (task_id) * from written order by task_id, seq desc
),
newest_of_step as materialized (
  select distinct on (step_id) * from written order by step_id, seq desc
),
opened_versions as (
  insert into task_versions
    (tenant_id, id, task_id, number, content, content_hash, current_step_id, reason, created_by)
  select ${tenantId}::uuid, v.id, v.task_id, v.number, v.content, v.content_hash, n.step_id, v.reason,
    ${actor.id}::text
  from json_to_recordset(${input.versions}) as v(
      id uuid, task_id uuid, number integer, content jsonb, content_hash text, reason text)
    join newest n on n.version_id = v.id
),
opened_steps as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq)
  select ${tenantId}::uuid, s.id, n.task_id, n.version_id, s.kind, s.attempt, n.to_status, n.to_gate, n.seq
  from json_to_recordset(${input.steps}) as s(id uuid, kind text, attempt integer)
    join newest_of_step n on n.step_id = s.id
),
moved_steps as (
  update steps s set status = n.to_status, gate = n.to_gate, event_seq = n.seq
  from newest_of_step n
  where s.tenant_id = ${tenantId}::uuid and s.id = n.step_id
),
sealed_versions as (
  update task_versions v set sealed_at = n.at
  from newest n join move m using (task_id)
  where v.tenant_id = ${tenantId}::uuid and v.id = m.version_id and n.version_id <> m.version_id
),
moved_versions as (
  update task_versions v set current_step_id = n.step_id
  from newest n join move m using (task_id)
  where v.tenant_id = ${tenantId}::uuid and v.id = m.version_id and n.version_id = m.version_id
    and n.step_id <> m.step_id
),
moved_tasks as (
  update tasks t set
    current_step_id = n.step_id,
    active_version_id = n.version_id,
    event_seq = n.seq,
    event_head = n.hash,
    updated_at = n.at,
    status_since = case when changed.status then n.at else t.status_since end,
    title = case when m.fields is null then t.title else m.fields ->> 'title' end,
    external_id = case when m.fields is null then t.external_id else m.fields ->> 'externalId' end,
    taxonomy_code = case when m.fields is null then t.taxonomy_code else m.fields ->> 'taxonomyCode' end,
    priority = case when m.fields is null then t.priority else (m.fields ->> 'priority')::smallint end,
    assignee = case when m.fields is null then t.assignee else m.fields ->> 'assignee' end,
    archived_at = case when m.archive is null then t.archived_at when m.archive then n.at end
  from newest n
    join move m using (task_id)
    join (
      select task_id, bool_or(w.step_id = last.step_id and w.from_status is distinct from w.to_status) as status
      from written w join newest last using (task_id)
      group by task_id
    ) changed using (task_id)
  where t.tenant_id = ${tenantId}::uuid and t.id = n.task_id
),
reviewed as (
  insert into reviews (tenant_id, id, task_id, version_id, step_id, kind, outcome, sequence, notes,
    reviewer_id, reviewer_name)
  select ${tenantId}::uuid, r.id, r.task_id, r.version_id, r.step_id, r.kind, r.outcome, r.sequence, r.notes,
    ${actor.id}::text, ${actor.name}::text
  from json_to_recordset(${input.reviews}) as r(
      id uuid, task_id uuid, version_id uuid, step_id uuid, kind text, outcome text, sequence integer,
      notes text)
    join newest n using (task_id)
),
-- Runs that were decided on, and those that were opened since on a step that is left or ended.
asked_run as materialized (
  select * from json_to_recordset(${input.runs}) as r(id uuid, task_id uuid, state text, result jsonb, error text)
),
run_change as materialized (
  select * from asked_run
  union all
  select w.id, l.task_id, 'CANCELLED', null, null
  from json_to_recordset(${input.recalls}) as l(task_id uuid, step_id uuid, attached boolean)
    join worker_runs w on w.step_id = l.step_id
  where w.tenant_id = ${tenantId}::uuid and l.attached and w.state in ('QUEUED', 'RUNNING')
    and w.type in (${RELEVANT_TYPES}) and not exists (select from asked_run r where r.id = w.id)
),
-- A report renews the deadline by the pipeline's own allowance, an hour where none is set.
reported as (
  update worker_runs w set
    state = r.state, result = coalesce(r.result, w.result), error = coalesce(r.error, w.error),
    updated_at = n.at,
    deadline_at = case when r.state = 'RUNNING' then n.at + ${runAllowance(sql`w.type`)} else w.deadline_at end
  from run_change r join newest n using (task_id)
  where w.tenant_id = ${tenantId}::uuid and w.id = r.id and w.state in ('QUEUED', 'RUNNING')
),
-- A live lease means that somebody is delivering it at this moment: too late to call it back.
recallable as materialized (
  select d.id, d.state, n.at
  from json_to_recordset(${input.recalls}) as r(
      task_id uuid, step_id uuid, version_id uuid, attached boolean, payment boolean)
    join newest n using (task_id)
    join pipeline_dispatches d on d.task_id = r.task_id
  where d.tenant_id = ${tenantId}::uuid and d.state in ('pending', 'sent')
    and (d.lease_until is null or d.lease_until < n.at)
    and case when d.pipeline = 'payment' then r.payment and d.version_id = r.version_id
      else r.attached and d.step_id = r.step_id end
  order by d.id
  for update of d
),
recalled as (
  update pipeline_dispatches d set state = 'recalled', updated_at = r.at
  from recallable r
  where d.tenant_id = ${tenantId}::uuid and d.id = r.id
),
dispatched as (
  insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq)
  select ${tenantId}::uuid, d.id, d.pipeline, d.task_id, d.version_id, d.step_id, n.seq
  from json_to_recordset(${input.dispatches}) as d(
      id uuid, pipeline text, task_id uuid, version_id uuid, step_id uuid)
    join newest n using (task_id)
  order by d.task_id
  on conflict do nothing
  returning id, pipeline, task_id
),
dispatch_log as (
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, operation_id)
  select ${tenantId}::uuid, new_id(), id, from_state, to_state, ${actor.id}::text, ${actor.name}::text,
    ${operation.id}::uuid
  from (
    select id, null as from_state, 'pending' as to_state from dispatched
    union all
    select id, state, 'recalled' from recallable
  ) change
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at)
      ${call.bulk ? sql`` : EVIDENCE}) order by c.task_id, c.seq)
      from written w join chained c using (task_id, seq)), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id)
      order by task_id) from dispatched), '[]') as dispatched,
    (select count(*) from newest) as tasks
)${call.bulk ? closeItems(tenantId, call.bulk) : sql``},
stored as (
  update operations o set result = ${storedResult(call)}
  from outcome
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid
    and (outcome.tasks > 0 or ${call.isKeptIfEmpty}::boolean)
),
dropped as (
  delete from operations o using outcome
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid
    and outcome.tasks = 0 and not ${call.isKeptIfEmpty}::boolean
)
select events, dispatched, ${isHeard(tenantId)} from outcome`;
}

/** What a repeat is answered from: the facts that were written, which a bulk has in its ledger already. */
function storedResult({ answer, bulk }: MoveCall): SQL {
  const spelled = sql`${JSON.stringify(answer) ?? "null"}::json`;
  if (bulk) return spelled;
  return sql`json_build_object('answer', ${spelled}, 'events', outcome.events, 'dispatched', outcome.dispatched)`;
}

const RELEVANT_TYPES = sql.join(
  STATUS_RELEVANT_WORKER_TYPES.map((type) => sql`${type}`),
  sql`, `,
);

/** A bulk answer names no hash; leaving them out halves what comes back. */
const EVIDENCE = sql`, 'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')`;

/** The moves as the statement's inputs: one JSON array for each kind of row. */
function moveInput(moves: readonly Move[]) {
  const json = (rowsOf: (move: Move) => readonly object[]) => JSON.stringify(moves.flatMap(rowsOf));
  return {
    moves: json(({ snapshot, decision }) => [
      {
        task_id: snapshot.id,
        seq: snapshot.eventSeq,
        step_id: snapshot.step.id,
        version_id: snapshot.version.id,
        fields: decision.fields && { ...taskFields(snapshot), ...decision.fields },
        archive: decision.archive,
      },
    ]),
    events: json(({ snapshot, decision }) => eventRows(snapshot.id, decision.events)),
    versions: json(({ snapshot, decision }) => versionRows(snapshot.id, decision)),
    steps: json(({ decision }) => stepRows(decision)),
    reviews: json(({ snapshot, decision }) =>
      decision.reviews.map((review) => ({
        id: review.id,
        task_id: snapshot.id,
        version_id: review.versionId,
        step_id: review.stepId,
        kind: review.kind,
        outcome: review.outcome,
        sequence: review.sequence,
        notes: review.notes,
      })),
    ),
    runs: json(({ snapshot, decision }) =>
      decision.runs.map((run) => ({
        id: run.id,
        task_id: snapshot.id,
        state: run.state,
        result: run.result,
        error: run.error,
      })),
    ),
    recalls: json(({ snapshot, decision: { recall } }) =>
      recall === null
        ? []
        : [
            {
              task_id: snapshot.id,
              step_id: recall.stepId,
              version_id: recall.versionId,
              attached: recall.attached,
              payment: recall.payment,
            },
          ],
    ),
    dispatches: json(({ snapshot, decision }) => dispatchRows(snapshot.id, decision)),
  };
}

function taskFields({
  title,
  externalId,
  taxonomyCode,
  priority,
  assignee,
}: TaskFields): TaskFields {
  return { title, externalId, taxonomyCode, priority, assignee };
}
