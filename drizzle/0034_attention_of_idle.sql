-- Attention `idle`, and the search for idle steps. No step is idle yet, so the rebuild writes the rows of tasks that run in
-- a stage of a pipeline, and no other.
create or replace function attention_of(
  kind text, status text, gate text, review_failed boolean, idle boolean
) returns text[] language sql immutable parallel safe
  return array_remove(array[
    case when gate in ('errored') then 'errored' end,
    case when gate in ('blocked') then 'blocked' end,
    case when status in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'failed', 'cancelled') and gate in ('revoked') then 'revoked' end,
    case when status in ('cancelled') then 'cancelled' end,
    case when idle then 'idle' end,
    case when kind in ('ingestion', 'authoring', 'output_generation', 'expert_review', 'calibration', 'delivery') and status in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'approved', 'failed', 'cancelled') and (review_failed and gate <> 'waived') then 'standing_failure' end,
    case when kind in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration') and gate in ('passed', 'waived') and not (review_failed and gate <> 'waived') then 'ready' end
  ], null);
--> statement-breakpoint
create or replace function idle_steps(rows_max integer) returns table (tenant_id uuid, task_id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select l.tenant_id, l.task_id
  from task_labels l
  join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  cross join lateral (select make_interval(secs => coalesce((select p.run_deadline_seconds from pipelines p
      where p.tenant_id = l.tenant_id and p.name = case s.kind when 'pre_qa' then 'quality_automation'
        when 'output_generation' then 'output_generation' when 'calibration' then 'post_qa_scoring' end), 3600))
    as deadline) d
  where l.running_since < now() - make_interval(secs =>
      least(3600, (select min(p.run_deadline_seconds) from pipelines p)))
    and l.running_since < now() - d.deadline
    and s.gate <> 'blocked' and s.deferred is null
    and not exists (select from worker_runs w where w.tenant_id = s.tenant_id and w.step_id = s.id
      and w.state in ('QUEUED', 'RUNNING'))
    and not exists (select from worker_runs w where w.tenant_id = s.tenant_id and w.task_id = t.id and w.step_id = s.id
      and w.updated_at > now() - d.deadline)
  order by l.running_since limit least(rows_max, 1000);
end;

revoke execute on function idle_steps(integer) from public;
grant execute on function idle_steps(integer) to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
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
      as waits_for_review, s.held_gate,
    s.idled_seq is not null as idle,
    case when s.status = 'running' and s.kind in ('pre_qa', 'output_generation', 'calibration') and s.idled_seq is null and t.archived_at is null
      then t.status_since end as running_since
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id;

grant select on task_facts to stepledger_app;
--> statement-breakpoint
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
        priority, taxonomy_code, event_seq, waits_for_review, running_since)
    select l.tenant_id, l.task_id, l.label, label_rank(l.label),
      attention_of(l.kind, l.status, l.gate, l.review_failed, l.idle), l.status_since, l.updated_at, l.archived, l.kind,
      l.priority, l.taxonomy_code, l.event_seq, l.waits_for_review, l.running_since
    from (
      select f.*, label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers) as label
      from (select f.* from part p join task_facts f on f.tenant_id = p.tenant_id and f.task_id = p.id offset 0) f
      offset 0) l
    on conflict (tenant_id, task_id) do update set
      unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
      since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
      step_kind = excluded.step_kind, priority = excluded.priority, taxonomy_code = excluded.taxonomy_code,
      event_seq = excluded.event_seq, waits_for_review = excluded.waits_for_review,
      running_since = excluded.running_since
    where task_labels.updated_at <= excluded.updated_at
      and (task_labels.unified_status, task_labels.rank, task_labels.attention, task_labels.since,
        task_labels.updated_at, task_labels.archived, task_labels.step_kind, task_labels.priority,
        task_labels.taxonomy_code, task_labels.event_seq, task_labels.waits_for_review, task_labels.running_since)
      is distinct from (excluded.unified_status, excluded.rank, excluded.attention, excluded.since,
        excluded.updated_at, excluded.archived, excluded.step_kind, excluded.priority,
        excluded.taxonomy_code, excluded.event_seq, excluded.waits_for_review, excluded.running_since)
  )
  select p.tenant_id, p.id, (select count(*) from part) from part p order by p.tenant_id desc, p.id desc limit 1;
end;

revoke execute on function relabel_tasks(uuid, uuid, integer) from public;
--> statement-breakpoint
drop function if exists attention_of(text,text,text,boolean);
--> statement-breakpoint
ALTER TABLE "step_events" VALIDATE CONSTRAINT "step_events_type";
--> statement-breakpoint
select rebuild_labels();
