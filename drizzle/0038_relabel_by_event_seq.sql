-- A task that moves while its label is rebuilt keeps its newer label, which is now found by event_seq. Several events of a
-- task can have the same time: if the clock steps back, or a simulated clock does not move. A rebuild then overwrote the
-- newer label with the one from before the move.
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
    where coalesce(task_labels.event_seq, 0) <= excluded.event_seq
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
