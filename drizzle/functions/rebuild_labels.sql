-- Computes task_labels for every task of every tenant and returns the number of tasks.
--
-- Called by: migrations that change label_of, label_rank, attention_of, task_facts or keep_labels, after a `truncate
-- task_labels` (rewriting the rows would leave as many dead ones); and by the bench loader
-- (bench/load/load-database.ts), which loads tasks with triggers off. A test requires the call in such migrations.
--
-- Security definer, but only the owner may execute it: the application must not be able to rewrite labels. `offset 0`
-- has the same purpose as in keep_labels.

create or replace function rebuild_labels() returns bigint
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with rebuilt as (
    insert into task_labels
      (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind)
    select l.tenant_id, l.task_id, l.label, label_rank(l.label), attention_of(l.kind, l.status, l.gate),
      l.status_since, l.updated_at, l.archived, l.kind
    from (
      select f.*, label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label
      from (select * from task_facts offset 0) f
      offset 0) l
    on conflict (tenant_id, task_id) do update set
      unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
      since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
      step_kind = excluded.step_kind
    returning 1
  )
  select count(*) from rebuilt;
end;

revoke execute on function rebuild_labels() from public;
