-- Holds: a step keeps the event that put its hold, the gate that it would have without it, and the reports that wait for
-- its end. No step has any of them yet, so the new checks need not read the table: "not valid" only skips the rows that
-- exist. The daily sweep holds the steps that were blocked by hand, through the writer. Labels read the gate behind a hold;
-- those that exist stay the same, so the rebuild at the end writes nothing.
ALTER TABLE "steps" ADD COLUMN "held_seq" integer;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "held_gate" text;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "deferred" jsonb;--> statement-breakpoint
ALTER TABLE "steps" ADD CONSTRAINT "steps_held_gate" CHECK ("steps"."held_gate" = any ('{"locked","pending","evaluating","awaiting_review","blocked","passed","waived","failed","errored","revoked"}'::text[])) NOT VALID;--> statement-breakpoint
ALTER TABLE "steps" ADD CONSTRAINT "steps_hold" CHECK (("steps"."held_seq" is null) = ("steps"."held_gate" is null) and ("steps"."held_seq" is null or "steps"."gate" = 'blocked')) NOT VALID;
--> statement-breakpoint
-- For each task, everything that its label depends on, and whether it is archived.
--
-- Read by: relabel_tasks, lookups of many tasks (src/db/tasks/tasks.ts), the invariant labels-match-resolver
-- (src/db/invariants/labels.ts) and `npm run verify` (scripts/verify/labels.ts). keep_labels holds the same query over the
-- rows that a statement has changed.
--
-- security_invoker, so that row security applies to the reader: the application sees its tenant's tasks, the owner all.
--
-- Generated from src/db/tasks/label-sql.ts and the rules that it reads, by `npm run generate`: do not edit. A migration
-- that changes this object must also run `select rebuild_labels();`.

create or replace view task_facts with (security_invoker = true) as
select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id and r.withdrawn_seq is null
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers,
    t.archived_at is not null as archived, t.priority, t.taxonomy_code, t.event_seq,
    t.archived_at is null and s.kind = 'expert_review' and s.status in ('queued', 'awaiting_review', 'in_review') and s.gate <> 'blocked'
      as waits_for_review, s.held_gate
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id;

grant select on task_facts to stepledger_app;
--> statement-breakpoint
-- Keeps task_labels, which lists and counts read: for every task that a statement inserted or updated, it stores the
-- label, its rank, the attention codes, the kind of the current step, whether the task is archived, and what reviewers
-- take it by.
--
-- Called by: the triggers tasks_label_created and tasks_label_moved. Everything that a label depends on changes
-- event_seq of the task in the same statement, so an INSERT or UPDATE of tasks is the only event that this has to see.
-- As a statement trigger with a transition table, it labels any number of tasks in one INSERT.
--
-- Security definer, because the application has no right to write task_labels: no statement but this can set a label.
-- No role but the owner may execute it: with that right, a role could attach it to a table of its own, and so label any
-- task. The triggers need no such right.
--
-- The text between `from (` and the first `offset 0` is labelFactsSql("changed") of src/db/tasks/label-sql.ts, which
-- test/proofs/label-parity.unit.test.ts compares. `offset 0` keeps Postgres from substituting the subquery for each use
-- of the label, which would look up reviews and runs several times for each task: 48 ms instead of 82 ms for 1,000
-- tasks among a million. A migration that changes this function must also run `select rebuild_labels();`.

create or replace function keep_labels() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into task_labels
    (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind,
      priority, taxonomy_code, event_seq, waits_for_review)
  select l.tenant_id, l.task_id, l.label, label_rank(l.label), attention_of(l.kind, l.status, l.gate, l.review_failed),
    l.status_since, l.updated_at, l.archived, l.kind,
      l.priority, l.taxonomy_code, l.event_seq, l.waits_for_review
  from (
    select f.*, label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers) as label
    from (
  select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id and r.withdrawn_seq is null
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers,
    t.archived_at is not null as archived, t.priority, t.taxonomy_code, t.event_seq,
    t.archived_at is null and s.kind = 'expert_review' and s.status in ('queued', 'awaiting_review', 'in_review') and s.gate <> 'blocked'
      as waits_for_review, s.held_gate
  from changed t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
    offset 0) f
    offset 0) l
  on conflict (tenant_id, task_id) do update set
    unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
    since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
    step_kind = excluded.step_kind, priority = excluded.priority, taxonomy_code = excluded.taxonomy_code,
      event_seq = excluded.event_seq, waits_for_review = excluded.waits_for_review;
  return null;
end
$$;

revoke execute on function keep_labels() from public;
--> statement-breakpoint
-- Computes the labels of up to rows_max tasks that follow a task in the order of (tenant_id, id), and updates the rows of
-- task_labels that differ, in place. Returns the last of these tasks and their number, or no row if none follows.
--
-- Called by: `npm run migrate` (scripts/stack/migrate.ts) after a migration that changes labels, one transaction for each
-- chunk, so that no lock lasts; and rebuild_labels.
--
-- Moves go on meanwhile. A task that moves while its chunk is computed has been labeled by keep_labels, and its row then
-- has a later updated_at: it is left alone.
--
-- Security definer, but only the owner may execute it: the application must not be able to rewrite labels. `offset 0`
-- has the same purpose as in keep_labels.

create or replace function relabel_tasks(after_tenant uuid, after_task uuid, rows_max integer)
  returns table (last_tenant uuid, last_task uuid, tasks bigint)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with part as materialized (
    select t.tenant_id, t.id from tasks t
    where (t.tenant_id, t.id) > (after_tenant, after_task)
    order by t.tenant_id, t.id limit rows_max
  ),
  relabeled as (
    insert into task_labels
      (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind,
        priority, taxonomy_code, event_seq, waits_for_review)
    select l.tenant_id, l.task_id, l.label, label_rank(l.label),
      attention_of(l.kind, l.status, l.gate, l.review_failed), l.status_since, l.updated_at, l.archived, l.kind,
      l.priority, l.taxonomy_code, l.event_seq, l.waits_for_review
    from (
      select f.*, label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers) as label
      from (select f.* from part p join task_facts f on f.tenant_id = p.tenant_id and f.task_id = p.id offset 0) f
      offset 0) l
    on conflict (tenant_id, task_id) do update set
      unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
      since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
      step_kind = excluded.step_kind, priority = excluded.priority, taxonomy_code = excluded.taxonomy_code,
      event_seq = excluded.event_seq, waits_for_review = excluded.waits_for_review
    where task_labels.updated_at <= excluded.updated_at
      and (task_labels.unified_status, task_labels.rank, task_labels.attention, task_labels.since,
        task_labels.updated_at, task_labels.archived, task_labels.step_kind, task_labels.priority,
        task_labels.taxonomy_code, task_labels.event_seq, task_labels.waits_for_review)
      is distinct from (excluded.unified_status, excluded.rank, excluded.attention, excluded.since,
        excluded.updated_at, excluded.archived, excluded.step_kind, excluded.priority,
        excluded.taxonomy_code, excluded.event_seq, excluded.waits_for_review)
  )
  select p.tenant_id, p.id, (select count(*) from part) from part p order by p.tenant_id desc, p.id desc limit 1;
end;

revoke execute on function relabel_tasks(uuid, uuid, integer) from public;
--> statement-breakpoint
-- Returns up to rows_max tasks whose current step was blocked by hand before holds existed: its gate is blocked, its
-- status does not imply that, and it has no hold.
--
-- Called by: the daily sweep (src/actions/upkeep/hold-blocked-steps.ts), which holds these steps through the writer. It
-- claims nothing: the writer skips a task that has moved since, so a step that two sweeps find is held once.
--
-- Security definer, because it crosses tenants. It reads the partial index task_labels_attention, which holds only the
-- tasks that need attention. An index on steps would make every move of a step write all its indexes.

create or replace function blocked_steps(rows_max integer) returns table (tenant_id uuid, task_id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select t.tenant_id, t.id
  from task_labels l
  join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  where l.attention <> '{}' and 'blocked' = any (l.attention)
    and s.gate = 'blocked' and s.held_seq is null and s.status not in ('paused', 'awaiting_input')
  limit least(rows_max, 1000);
end;

revoke execute on function blocked_steps(integer) from public;
grant execute on function blocked_steps(integer) to stepledger_app;
--> statement-breakpoint
select rebuild_labels();
