import { type SQL, sql } from "drizzle-orm";
import type { Decision } from "../../domain/lifecycle/decision.ts";
import { type BulkBatch, closeItems, isBulkOpen } from "../bulk/bulk-ledger.ts";
import { dispatchCte, dispatchLogCte, NO_DISPATCHES } from "./dispatch-ctes.ts";
import { NO_RECALLS, recallCtes, UNDONE_COUNTS } from "./recall-ctes.ts";
import { ENDING_COLUMNS } from "../bulk/end-bulk.ts";
import {
  chainedStepEvents,
  insertedStepEvents,
  stepEventInput,
  type StepSourceInputs,
} from "../history/event-ctes.ts";
import { touchesHold } from "../../domain/lifecycle/step-after.ts";
import { markOf, type Move, type MoveInput } from "./move-input.ts";
import type { Bound } from "../connection/prepared.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { runChangeCtes } from "./run-ctes.ts";
import { endedClaims, hasNoOtherClaim } from "../reviews/slots.ts";
import { mayBecomeDuplicate } from "../tasks/duplicates.ts";
import { lockMoved, lockTasks } from "../tasks/lock-tasks.ts";
import { hasUnchangedRun, lockRuns } from "../runs/run-guards.ts";
import { notBefore } from "../sql/writer-clock.ts";
import { LISTENS_TO_TASKS } from "../webhooks/webhook-outbox.ts";

// The statement that writes moves: single moves and bulk batches, sent as text or prepared. Comments inside its SQL are
// part of the prepared functions.

/** The inputs of the statement. */
export interface MoveStatementInputs extends StepSourceInputs {
  tenantId: Bound<string>;
  input: MoveInput;
  /** Stored in the ledger with the written rows. A repeat is answered from both. */
  answer: Bound<string>;
  isKeptIfEmpty: Bound<boolean>;
  bulk: BulkBatch | null;
}

/** What the moves do in addition to writing one event and moving a step: true if at least one of them does it. */
export type Effects = Readonly<Record<keyof ReturnType<typeof effectsOf>, boolean>>;

export function effectsOf(moves: readonly Move[]) {
  const some = (has: (decision: Decision) => boolean) =>
    moves.some(({ decision }) => has(decision));
  return {
    isGuardedByRun: moves.some(({ run }) => run !== undefined),
    takesSlots: moves.some(({ claimant }) => claimant !== undefined),
    needsNoRun: some(({ needsNoRun }) => needsNoRun),
    hasSeveralEvents: some(({ events }) => events.length > 1),
    edits: some(({ fields, archive }) => fields !== null || archive !== null),
    opensVersions: some(({ version }) => version !== null),
    opensSteps: some(({ step }) => step !== null),
    changesHolds: some(({ events }) => events.some(touchesHold)),
    reviews: some(({ reviews }) => reviews.length > 0),
    withdrawsReviews: some(({ withdrawals }) => withdrawals.length > 0),
    changesRuns: some(({ runs }) => runs.length > 0),
    recallsDispatches: some(({ recall, undoes }) => recall !== null || undoes !== null),
    createsDispatches: some(({ dispatches }) => dispatches.length > 0),
    isSilent: some(({ events }) => events.length === 0),
    marksDuplicates: some((decision) => markOf(decision).marks_duplicate),
  };
}

/**
 * The lock statements before the main one. A statement sees only what was committed when it began, so the locks have to
 * be taken by an earlier statement. A move that leaves or ends a step must see all dispatches and runs that were opened
 * on it, a move that requests a pipeline must see an earlier request, and a step is idle only if no run was opened on it
 * meanwhile. A claim of a run writes no event, so the task's event_seq does not guard the run, and it is locked too. A
 * claim of a review takes the lock of its task. Two tasks that become duplicates of each other are kept apart by the locks
 * of the originals that they name.
 */
export function lockStatements({ tenantId, input }: MoveStatementInputs, effects: Effects): SQL[] {
  const { recallsDispatches, createsDispatches, isGuardedByRun, takesSlots } = effects;
  const { marksDuplicates, needsNoRun } = effects;
  const locksFirst =
    recallsDispatches ||
    createsDispatches ||
    isGuardedByRun ||
    takesSlots ||
    needsNoRun ||
    marksDuplicates;
  const lock = marksDuplicates ? lockMoved : lockTasks;
  return [
    ...(locksFirst ? [lock(tenantId, input.moves)] : []),
    ...(isGuardedByRun ? [lockRuns(tenantId, input.found_runs)] : []),
  ];
}

/**
 * The statement for single and bulk moves. The order is part of the design: lock, events, opened versions and steps,
 * steps, version pointer, task pointer. Every write after the events reads the rows that the event insert returned, so
 * a task without a written event is not changed. CTEs that no move needs are left out: they would cost planning time in
 * a bulk, and executor startup in a single move.
 */
export function moveStatement(call: MoveStatementInputs, effects: Effects): SQL {
  const { tenantId, input, bulk } = call;
  return sql`
with
move as materialized (
  select * from json_to_recordset(${input.moves}) as m(
    task_id uuid, seq integer, step_id uuid, version_id uuid, is_silent boolean, fields json, archive boolean,
    planned_at timestamptz
    ${effects.marksDuplicates ? sql`, marks_duplicate boolean, duplicate_of uuid` : sql``}
    ${effects.needsNoRun ? sql`, needs_no_run boolean` : sql``})
  ${bulk ? sql`where ${isBulkOpen(tenantId, bulk)}` : sql``}
),
-- In id order, and task rows alone: nothing of a task changes without its event_seq, so what was planned
-- about its step still holds; a join with the step could lose the row when a rival moves the pointer.
locked as materialized (
  select t.id, t.event_seq, t.event_head, t.updated_at, m.planned_at
  from move m join tasks t on t.id = m.task_id
  -- As a CASE, since Postgres would take an equal seq for a rare thing, and plan all that follows for a row or two: it
  -- would compare each of a thousand moves with each other.
  where t.tenant_id = ${tenantId}::uuid and case when t.event_seq = m.seq then true else false end
    ${effects.isGuardedByRun ? hasUnchangedRun(tenantId, input.found_runs) : sql``}
    ${effects.takesSlots ? hasNoOtherClaim(tenantId, input.claimants) : sql``}
    ${effects.marksDuplicates ? mayBecomeDuplicate(tenantId) : sql``}
    ${effects.needsNoRun ? HAS_NO_OPEN_RUN : sql``}
  order by t.id
  for no key update of t
),
event as materialized (
  select l.event_head, l.event_seq + e.ordinal as seq,
    ${notBefore(sql`l.updated_at`, sql`l.planned_at`)} as at, e.*
  from ${stepEventInput(input.events)}
    join locked l on l.id = e.task_id
),
${chainedStepEvents(tenantId, call, { isOneEach: !effects.hasSeveralEvents })},
written as (
  ${insertedStepEvents(tenantId, call)}
),
${effects.hasSeveralEvents ? NEWEST : NEWEST_EACH},
-- Where the tasks stand now. Those that are changed without an event are where they were.
reached as materialized (
  select task_id, seq, step_id, at, false as is_silent from newest
  ${effects.isSilent ? SILENTLY_REACHED : sql``}
),
${effects.opensVersions ? openedVersions(call, input.versions, sql`newest`) : sql``}
${effects.opensSteps ? openedSteps(tenantId, input.steps, sql`newest_of_step`) : sql``}
moved_steps as (
  update steps s set status = n.to_status, gate = n.to_gate, event_seq = n.seq,
    idled_seq = case when n.type = 'step_idled' then n.seq when n.ends_idling then null else s.idled_seq end
    ${effects.changesHolds ? HELD : sql``}
  from newest_of_step n ${effects.changesHolds ? heldSteps(input.holds) : sql``}
  where s.tenant_id = ${tenantId}::uuid and s.id = n.step_id
),
${effects.opensSteps ? movedVersions(tenantId) : sql``}
moved_tasks as (
  update tasks t set
    current_step_id = n.step_id,
    active_version_id = n.version_id,
    event_seq = n.seq,
    event_head = n.hash,
    updated_at = n.at,
    status_since = case when n.is_status_changed then n.at else t.status_since end
    ${effects.edits ? EDITED : sql``}
  from newest n ${effects.edits ? sql`join move m using (task_id)` : sql``}
  where t.tenant_id = ${tenantId}::uuid and t.id = n.task_id
),
${effects.reviews ? reviewed(tenantId, input, call) : sql``}
${effects.takesSlots ? endedClaims(tenantId, input.claimants) : sql``}
${effects.withdrawsReviews ? withdrawn(tenantId, input) : sql``}
${effects.recallsDispatches ? recallCtes(tenantId, input) : NO_RECALLS},
${effects.changesRuns || effects.recallsDispatches ? runChangeCtes(tenantId, input) : sql``}
${effects.createsDispatches ? dispatchCte(tenantId, input.dispatches, call) : NO_DISPATCHES},
${effects.createsDispatches || effects.recallsDispatches ? dispatchLogCte(tenantId, call) : sql``}
effect as materialized (
  select task_id, seq, step_id from newest
  ${effects.isSilent ? SILENT_EFFECT : sql``}
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at)
      ${bulk ? sql`` : EVIDENCE}) order by c.task_id, c.seq)
      from chained c), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id)
      order by task_id) from dispatched), '[]') as dispatched,
    ${effects.recallsDispatches && !bulk ? UNDONE_MEMBERS : sql``}
    (select count(*) from effect) as tasks
)${bulk ? closeItems(tenantId, bulk, UNDONE_COUNTS) : sql``},
${keepOrDropByOutcome(call, resultOf(call, effects))}
select events, dispatched${effects.recallsDispatches && !bulk ? sql`, undone` : sql``}, ${hasListeners(tenantId)}${bulk ? sql`, ${BULK_COLUMNS}` : sql``} from outcome`;
}

/** A bulk stores only the answer, because its items already contain the facts. */
function resultOf(
  { answer, bulk }: MoveStatementInputs,
  { recallsDispatches }: Pick<Effects, "recallsDispatches">,
): SQL {
  return bulk
    ? sql`${answer}::json`
    : sql`json_build_object('answer', ${answer}::json, 'events', outcome.events, 'dispatched', outcome.dispatched
      ${recallsDispatches ? sql`, 'undone', outcome.undone` : sql``})`;
}

const UNDONE_MEMBERS = sql`json_build_object('recalled', ${UNDONE_COUNTS.recalled},
      'alreadyDelivered', ${UNDONE_COUNTS.alreadyDelivered}) as undone,`;

/** `keepOrDrop` with the CTE `outcome`. With `isKeptIfEmpty`, the operation is kept even if nothing was written. */
export function keepOrDropByOutcome(
  call: Pick<MoveStatementInputs, "tenantId" | "operation" | "isKeptIfEmpty">,
  result: SQL,
): SQL {
  const { isKeptIfEmpty } = call;
  return keepOrDrop(call, {
    from: sql`outcome`,
    result,
    when: {
      keepIf: sql`(outcome.tasks > 0 or ${isKeptIfEmpty}::boolean)`,
      dropIf: sql`outcome.tasks = 0 and not ${isKeptIfEmpty}::boolean`,
    },
  });
}

/** The column that shows whether a webhook of the tenant listens to tasks. */
export const hasListeners = (tenantId: Bound<string>): SQL =>
  sql`exists (select from webhooks w where w.tenant_id = ${tenantId}::uuid and ${LISTENS_TO_TASKS}) as "hasListeners"`;

/** Whether an event ends what the sweep found: `idledSeqAfter` is the same rule. */
const ENDS_IDLING = sql`(from_status is distinct from to_status or type = 'worker_run_changed')`;

const NEWEST = sql`newest as materialized (
  select distinct on (task_id) *,
    bool_or(from_status is distinct from to_status) over (partition by task_id, step_id) as is_status_changed
  from written order by task_id, seq desc
),
newest_of_step as materialized (
  select distinct on (step_id) *, bool_or(${ENDS_IDLING}) over (partition by step_id) as ends_idling
  from written order by step_id, seq desc
)`;

/** NEWEST if every task has exactly one event. */
const NEWEST_EACH = sql`newest as materialized (
  select *, from_status is distinct from to_status as is_status_changed from written
),
newest_of_step as (select *, ${ENDS_IDLING} as ends_idling from newest)`;

// Runs are opened under the task's lock and write no event, so the seq does not show them.
const HAS_NO_OPEN_RUN = sql`and not (m.needs_no_run is true and exists (select from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = m.step_id and w.state in ('QUEUED', 'RUNNING')))`;

const EDITED = sql`,
    title = case when m.fields is null then t.title else m.fields ->> 'title' end,
    external_id = case when m.fields is null then t.external_id else m.fields ->> 'externalId' end,
    taxonomy_code = case when m.fields is null then t.taxonomy_code else m.fields ->> 'taxonomyCode' end,
    priority = case when m.fields is null then t.priority else (m.fields ->> 'priority')::smallint end,
    assignee = case when m.fields is null then t.assignee else m.fields ->> 'assignee' end,
    archived_at = case when m.archive is null then t.archived_at when m.archive then n.at end`;

const SILENTLY_REACHED = sql`union all
  select l.id, l.event_seq, null, ${notBefore(sql`l.updated_at`, sql`l.planned_at`)}, true
  from locked l join move m on m.task_id = l.id where m.is_silent`;

const SILENT_EFFECT = sql`union all
  select task_id, null, null from reached where is_silent
    and (task_id in (select task_id from dispatched) or task_id in (select task_id from recalled))`;

const HELD = sql`,
    held_seq = case when h.step_id is null then s.held_seq else h.held_seq end,
    held_gate = case when h.step_id is null then s.held_gate else h.held_gate end,
    deferred = case when h.step_id is null then s.deferred else h.deferred end`;

function heldSteps(holds: Bound<string>): SQL {
  return sql`left join json_to_recordset(${holds}) as h(
      step_id uuid, held_seq integer, held_gate text, deferred jsonb) on h.step_id = n.step_id`;
}

/** The CTE that inserts the versions that the events in `from` open. */
export function openedVersions(
  { tenantId, actor }: Pick<MoveStatementInputs, "tenantId" | "actor">,
  versions: Bound<string>,
  from: SQL,
): SQL {
  return sql`opened_versions as (
  insert into task_versions
    (tenant_id, id, task_id, number, content, content_hash, current_step_id, reason, created_by, created_at)
  select ${tenantId}::uuid, v.id, v.task_id, v.number, v.content, v.content_hash, n.step_id, v.reason,
    ${actor.id}::text, n.at
  from json_to_recordset(${versions}) as v(
      id uuid, task_id uuid, number integer, content jsonb, content_hash text, reason text)
    join ${from} n on n.version_id = v.id
),`;
}

/** The CTE that inserts the steps that the events in `from` open. */
export function openedSteps(tenantId: Bound<string>, steps: Bound<string>, from: SQL): SQL {
  return sql`opened_steps as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq, created_at)
  select ${tenantId}::uuid, s.id, n.task_id, n.version_id, s.kind, s.attempt, n.to_status, n.to_gate, n.seq, n.at
  from json_to_recordset(${steps}) as s(id uuid, kind text, attempt integer)
    join ${from} n on n.step_id = s.id
),`;
}

function movedVersions(tenantId: Bound<string>): SQL {
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

function reviewed(tenantId: Bound<string>, input: MoveInput, { actor }: MoveStatementInputs): SQL {
  return sql`reviewed as (
  insert into reviews (tenant_id, id, task_id, version_id, step_id, kind, outcome, sequence, notes,
    reviewer_id, reviewer_name, created_at)
  select ${tenantId}::uuid, r.id, r.task_id, r.version_id, r.step_id, r.kind, r.outcome, r.sequence, r.notes,
    ${actor.id}::text, ${actor.name}::text, n.at
  from json_to_recordset(${input.reviews}) as r(
      id uuid, task_id uuid, version_id uuid, step_id uuid, kind text, outcome text, sequence integer,
      notes text)
    join newest n using (task_id)
),`;
}

function withdrawn(tenantId: Bound<string>, input: MoveInput): SQL {
  return sql`withdrawn as (
  update reviews r set withdrawn_seq = n.seq
  from json_to_recordset(${input.withdrawals}) as w(id uuid, task_id uuid) join newest n using (task_id)
  where r.tenant_id = ${tenantId}::uuid and r.id = w.id and r.withdrawn_seq is null
),`;
}

const BULK_COLUMNS = sql`coalesce((select json_agg(task_id) from effect where seq is null), '[]') as silent,
  ${UNDONE_COUNTS.recalled}::integer as recalled, ${UNDONE_COUNTS.alreadyDelivered}::integer as "alreadyDelivered",
  ${ENDING_COLUMNS}`;

/** Left out for a bulk, whose answer has no hashes: that halves the size of the response. */
const EVIDENCE = sql`, 'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')`;
