-- Attention follows the verdict: a task is not ready while a failed review stands against its step, standing_failure shows
-- one that the label hides, and a rejected or duplicate task does not ask for attention because its gate was revoked.
--
-- Labels are rebuilt in place: relabel_tasks writes only the rows that differ, and `npm run migrate` calls it in chunks
-- after these functions are committed, so no lock lasts. Before, task_labels was emptied under an exclusive lock.
create or replace function attention_of(
  kind text, status text, gate text, review_failed boolean
) returns text[] language sql immutable parallel safe
  return array_remove(array[
    case when gate in ('errored') then 'errored' end,
    case when gate in ('blocked') then 'blocked' end,
    case when status in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'failed', 'cancelled') and gate in ('revoked') then 'revoked' end,
    case when status in ('cancelled') then 'cancelled' end,
    case when kind in ('ingestion', 'authoring', 'output_generation', 'expert_review', 'calibration', 'delivery') and status in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'approved', 'failed', 'cancelled') and (review_failed and gate <> 'waived') then 'standing_failure' end,
    case when kind in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration') and gate in ('passed', 'waived') and not (review_failed and gate <> 'waived') then 'ready' end
  ], null);
--> statement-breakpoint
create or replace function keep_labels() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into task_labels
    (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind)
  select l.tenant_id, l.task_id, l.label, label_rank(l.label), attention_of(l.kind, l.status, l.gate, l.review_failed),
    l.status_since, l.updated_at, l.archived, l.kind
  from (
    select f.*, label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label
    from (
  select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers,
    t.archived_at is not null as archived
  from changed t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
    offset 0) f
    offset 0) l
  on conflict (tenant_id, task_id) do update set
    unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
    since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
    step_kind = excluded.step_kind;
  return null;
end
$$;

revoke execute on function keep_labels() from public;
--> statement-breakpoint
create or replace function rebuild_labels() returns bigint
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  chunk record;
  tasks bigint := 0;
  last_tenant uuid := '00000000-0000-0000-0000-000000000000';
  last_task uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select * into chunk from relabel_tasks(last_tenant, last_task, 10000);
    exit when not found;
    tasks := tasks + chunk.tasks;
    last_tenant := chunk.last_tenant;
    last_task := chunk.last_task;
  end loop;
  return tasks;
end
$$;

revoke execute on function rebuild_labels() from public;
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
      (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind)
    select l.tenant_id, l.task_id, l.label, label_rank(l.label),
      attention_of(l.kind, l.status, l.gate, l.review_failed), l.status_since, l.updated_at, l.archived, l.kind
    from (
      select f.*, label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label
      from (select f.* from part p join task_facts f on f.tenant_id = p.tenant_id and f.task_id = p.id offset 0) f
      offset 0) l
    on conflict (tenant_id, task_id) do update set
      unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
      since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
      step_kind = excluded.step_kind
    where task_labels.updated_at <= excluded.updated_at
      and (task_labels.unified_status, task_labels.rank, task_labels.attention, task_labels.since,
        task_labels.updated_at, task_labels.archived, task_labels.step_kind)
      is distinct from (excluded.unified_status, excluded.rank, excluded.attention, excluded.since,
        excluded.updated_at, excluded.archived, excluded.step_kind)
  )
  select p.tenant_id, p.id, (select count(*) from part) from part p order by p.tenant_id desc, p.id desc limit 1;
end;

revoke execute on function relabel_tasks(uuid, uuid, integer) from public;
--> statement-breakpoint
drop function attention_of(text, text, text);
--> statement-breakpoint
select rebuild_labels();
