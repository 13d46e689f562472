-- Keeps task_labels, which lists and counts read: for every task that a statement inserted or updated, it stores the
-- label, its rank, the attention codes, the kind of the current step, whether the task is archived, what reviewers take it
-- by, and since when it runs in a stage where the sweep looks for idle steps.
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
      priority, taxonomy_code, event_seq, waits_for_review, running_since)
  select l.tenant_id, l.task_id, l.label, label_rank(l.label), attention_of(l.kind, l.status, l.gate, l.review_failed, l.idle),
    l.status_since, l.updated_at, l.archived, l.kind,
      l.priority, l.taxonomy_code, l.event_seq, l.waits_for_review, l.running_since
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
      as waits_for_review, s.held_gate,
    s.idled_seq is not null as idle,
    case when s.status = 'running' and s.kind in ('pre_qa', 'output_generation', 'calibration') and s.idled_seq is null and t.archived_at is null
      then t.status_since end as running_since
  from changed t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
    offset 0) f
    offset 0) l
  on conflict (tenant_id, task_id) do update set
    unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
    since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
    step_kind = excluded.step_kind, priority = excluded.priority, taxonomy_code = excluded.taxonomy_code,
      event_seq = excluded.event_seq, waits_for_review = excluded.waits_for_review,
      running_since = excluded.running_since;
  return null;
end
$$;

revoke execute on function keep_labels() from public;
