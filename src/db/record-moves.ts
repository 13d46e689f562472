import { type SQL, sql } from "drizzle-orm";
import type { Decision } from "../domain/lifecycle/decision.ts";
import type { Pipeline } from "../domain/lifecycle/statuses.ts";
import { type BulkRecord, closeItems, isBulkOpen, openBulk } from "./bulk-ledger.ts";
import type { TenantDatabase, Written } from "./client.ts";
import {
  askedCtes,
  calledBackCtes,
  dispatchLogCte,
  NOTHING_ASKED,
  NOTHING_CALLED_BACK,
  UNDONE_COUNTS,
} from "./dispatch-ctes.ts";
import { type BulkEnding, ENDING_COLUMNS, toldEnding } from "./end-bulk.ts";
import { chainedStepEvents, insertedStepEvents, stepEventInput } from "./event-ctes.ts";
import { type Move, type MoveCall, type MoveInput, moveInput } from "./move-input.ts";
import { reportedCtes } from "./run-ctes.ts";
import { hasRunAsFound, lockRuns } from "./run-guards.ts";
import { HEARS_TASKS } from "./webhook-outbox.ts";

export type { Move, MoveCall } from "./move-input.ts";

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

/** What a bulk's statement tells beside. */
export interface RecordedBulkMoves extends RecordedMoves {
  /** Tasks that were changed without an event: dispatches alone were made or called back. */
  silent: string[];
  recalled: number;
  alreadyDelivered: number;
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
  return toldOutside(database, await writeMoves<RecordedMoves & Heard>(database, moves, call));
}

/** The same for a batch of a bulk operation: its items and its end are written with what they tell of. */
export async function recordBulkMoves(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall & { bulk: BulkRecord },
): Promise<Written<RecordedBulkMoves>> {
  const written = await writeMoves<RecordedBulkMoves & Heard & BulkEnding>(database, moves, call);
  if (written.outcome === "written") toldEnding(database, written.rows[0]);
  return toldOutside(database, written);
}

function writeMoves<Row>(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall,
): Promise<Written<Row>> {
  const { tenantId } = database;
  // What leaves or ends a step takes with it whatever was opened on that step, up to this moment, and what is asked for
  // may have been asked for. A statement sees what was there when it began: so the locks are got in one before.
  // A run is not guarded by its task's event_seq, since whoever claims one writes no event: it is locked likewise.
  const { callsBack, asks } = effectsOf(moves);
  const runs = moves.flatMap(({ run }) => run ?? []);
  return database.write<Row>(call.operation, [
    ...(call.bulk ? openBulk(tenantId, call.bulk) : []),
    ...(callsBack || asks || runs.length > 0 ? [lockStatement(tenantId, moves)] : []),
    ...(runs.length > 0 ? [lockRuns(tenantId, runs)] : []),
    moveStatement(tenantId, moves, call),
  ]);
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

/** What at least one of the moves does beside writing its events and moving its step. */
function effectsOf(moves: readonly Move[]) {
  const some = (has: (decision: Decision) => boolean) =>
    moves.some(({ decision }) => has(decision));
  return {
    opensVersion: some(({ version }) => version !== null),
    opensStep: some(({ step }) => step !== null),
    reviews: some(({ reviews }) => reviews.length > 0),
    reports: some(({ runs }) => runs.length > 0),
    callsBack: some(({ recall, undoes }) => recall !== null || undoes !== null),
    asks: some(({ dispatches }) => dispatches.length > 0),
    isSilent: some(({ events }) => events.length === 0),
  };
}

/**
 * One statement for single and bulk moves. The order is part of the design: lock, events, opened versions and
 * steps, steps, version pointer, task pointer. Every write after the events reads from the rows that the
 * event insert returned: where no event was written, nothing is. What none of the moves does is left out: to plan it
 * all would take longer than to make a single move.
 */
function moveStatement(tenantId: string, moves: readonly Move[], call: MoveCall): SQL {
  const { operation } = call;
  const input = moveInput(moves);
  const does = effectsOf(moves);
  return sql`
with
move as materialized (
  select * from json_to_recordset(${input.moves}) as m(
    task_id uuid, seq integer, step_id uuid, version_id uuid, is_silent boolean, fields json, archive boolean)
  ${call.bulk ? sql`where ${isBulkOpen(tenantId, call.bulk)}` : sql``}
),
-- In id order, and task rows alone: nothing of a task changes without its event_seq, so what was planned
-- about its step still holds; a join with the step could lose the row when a rival moves the pointer.
locked as materialized (
  select t.id, t.event_seq, t.event_head, t.updated_at
  from move m join tasks t on t.id = m.task_id
  -- As a CASE, since Postgres would take an equal seq for a rare thing, and plan all that follows for a row or two: it
  -- would compare each of a thousand moves with each other.
  where t.tenant_id = ${tenantId}::uuid and case when t.event_seq = m.seq then true else false end
    ${hasRunAsFound(tenantId, moves)}
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
  select distinct on (task_id) *,
    bool_or(from_status is distinct from to_status) over (partition by task_id, step_id) as is_status_changed
  from written order by task_id, seq desc
),
-- Where the tasks stand now. Those that are changed without an event are where they were.
reached as materialized (
  select task_id, seq, step_id, at, false as is_silent from newest
  ${does.isSilent ? SILENTLY_REACHED : sql``}
),
newest_of_step as materialized (
  select distinct on (step_id) * from written order by step_id, seq desc
),
${does.opensVersion ? openedVersions(tenantId, input, call) : sql``}
${does.opensStep ? openedSteps(tenantId, input) : sql``}
moved_steps as (
  update steps s set status = n.to_status, gate = n.to_gate, event_seq = n.seq
  from newest_of_step n
  where s.tenant_id = ${tenantId}::uuid and s.id = n.step_id
),
${does.opensStep ? movedVersions(tenantId) : sql``}
moved_tasks as (
  update tasks t set
    current_step_id = n.step_id,
    active_version_id = n.version_id,
    event_seq = n.seq,
    event_head = n.hash,
    updated_at = n.at,
    status_since = case when n.is_status_changed then n.at else t.status_since end,
    title = case when m.fields is null then t.title else m.fields ->> 'title' end,
    external_id = case when m.fields is null then t.external_id else m.fields ->> 'externalId' end,
    taxonomy_code = case when m.fields is null then t.taxonomy_code else m.fields ->> 'taxonomyCode' end,
    priority = case when m.fields is null then t.priority else (m.fields ->> 'priority')::smallint end,
    assignee = case when m.fields is null then t.assignee else m.fields ->> 'assignee' end,
    archived_at = case when m.archive is null then t.archived_at when m.archive then n.at end
  from newest n join move m using (task_id)
  where t.tenant_id = ${tenantId}::uuid and t.id = n.task_id
),
${does.reviews ? reviewed(tenantId, input, call) : sql``}
${does.callsBack ? calledBackCtes(tenantId, input, call) : NOTHING_CALLED_BACK},
${does.reports || does.callsBack ? reportedCtes(tenantId, input) : sql``}
${does.asks ? askedCtes(tenantId, input.dispatches, call) : NOTHING_ASKED},
${does.asks || does.callsBack ? dispatchLogCte(tenantId, call) : sql``}
effect as materialized (
  select task_id, seq, step_id from newest
  ${does.isSilent ? SILENT_EFFECT : sql``}
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at)
      ${call.bulk ? sql`` : EVIDENCE}) order by c.task_id, c.seq)
      from written w join chained c using (task_id, seq)), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id)
      order by task_id) from dispatched), '[]') as dispatched,
    (select count(*) from effect) as tasks
)${call.bulk ? closeItems(tenantId, call.bulk, UNDONE_COUNTS) : sql``},
stored as (
  update operations o set result = ${storedResult(call)}
  from outcome
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid
    ${call.isKeptIfEmpty ? sql`` : sql`and outcome.tasks > 0`}
)${call.isKeptIfEmpty ? sql`` : droppedIfEmpty(tenantId, call)}
select events, dispatched, ${isHeard(tenantId)}${call.bulk ? sql`, ${BULK_COLUMNS}` : sql``} from outcome`;
}

function droppedIfEmpty(tenantId: string, { operation }: MoveCall): SQL {
  return sql`,
dropped as (
  delete from operations o using outcome
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid and outcome.tasks = 0
)`;
}

const SILENTLY_REACHED = sql`union all
  select l.id, l.event_seq, null, (select clock_timestamp()), true
  from locked l join move m on m.task_id = l.id where m.is_silent`;

const SILENT_EFFECT = sql`union all
  select task_id, null, null from reached where is_silent
    and (task_id in (select task_id from dispatched) or task_id in (select task_id from recalled))`;

function openedVersions(tenantId: string, input: MoveInput, { actor }: MoveCall): SQL {
  return sql`opened_versions as (
  insert into task_versions
    (tenant_id, id, task_id, number, content, content_hash, current_step_id, reason, created_by)
  select ${tenantId}::uuid, v.id, v.task_id, v.number, v.content, v.content_hash, n.step_id, v.reason,
    ${actor.id}::text
  from json_to_recordset(${input.versions}) as v(
      id uuid, task_id uuid, number integer, content jsonb, content_hash text, reason text)
    join newest n on n.version_id = v.id
),`;
}

function openedSteps(tenantId: string, input: MoveInput): SQL {
  return sql`opened_steps as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq)
  select ${tenantId}::uuid, s.id, n.task_id, n.version_id, s.kind, s.attempt, n.to_status, n.to_gate, n.seq
  from json_to_recordset(${input.steps}) as s(id uuid, kind text, attempt integer)
    join newest_of_step n on n.step_id = s.id
),`;
}

function movedVersions(tenantId: string): SQL {
  return sql`sealed_versions as (
  update task_versions v set sealed_at = n.at
  from newest n join move m using (task_id)
  where v.tenant_id = ${tenantId}::uuid and v.id = m.version_id and n.version_id <> m.version_id
),
moved_versions as (
  update task_versions v set current_step_id = n.step_id
  from newest n join move m using (task_id)
  where v.tenant_id = ${tenantId}::uuid and v.id = m.version_id and n.version_id = m.version_id
    and n.step_id <> m.step_id
),`;
}

function reviewed(tenantId: string, input: MoveInput, { actor }: MoveCall): SQL {
  return sql`reviewed as (
  insert into reviews (tenant_id, id, task_id, version_id, step_id, kind, outcome, sequence, notes,
    reviewer_id, reviewer_name)
  select ${tenantId}::uuid, r.id, r.task_id, r.version_id, r.step_id, r.kind, r.outcome, r.sequence, r.notes,
    ${actor.id}::text, ${actor.name}::text
  from json_to_recordset(${input.reviews}) as r(
      id uuid, task_id uuid, version_id uuid, step_id uuid, kind text, outcome text, sequence integer,
      notes text)
    join newest n using (task_id)
),`;
}

const BULK_COLUMNS = sql`coalesce((select json_agg(task_id) from effect where seq is null), '[]') as silent,
  ${UNDONE_COUNTS.recalled}::integer as recalled, ${UNDONE_COUNTS.alreadyDelivered}::integer as "alreadyDelivered",
  ${ENDING_COLUMNS}`;

/** What a repeat is answered from: the facts that were written, which a bulk has in its ledger already. */
function storedResult({ answer, bulk }: MoveCall): SQL {
  const spelled = sql`${JSON.stringify(answer) ?? "null"}::json`;
  if (bulk) return spelled;
  return sql`json_build_object('answer', ${spelled}, 'events', outcome.events, 'dispatched', outcome.dispatched)`;
}

/** A bulk answer names no hash; leaving them out halves what comes back. */
const EVIDENCE = sql`, 'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')`;
