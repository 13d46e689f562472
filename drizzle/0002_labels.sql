-- The label, in the database: the resolver's rules compiled to SQL, the facts they read, and the two
-- statement triggers that keep task_labels. The functions below are written by src/db/label-sql.ts.
create or replace function label_of(
  kind text, status text, gate text, review_failed boolean, running_workers text[]
) returns text language sql immutable parallel safe
  return case
    when status in ('duplicate') then 'DUPLICATE' -- rule 1
    when status in ('rejected') then 'REJECTED' -- rule 2
    when kind in ('delivery') and status in ('approved') then 'DELIVERED' -- rule 3
    when kind in ('calibration', 'delivery') then 'PASSED' -- rule 4
    when kind in ('expert_review') and status in ('approved') then 'PASSED' -- rule 5
    when kind in ('expert_review') and status in ('changes_requested') then 'CHANGES_REQUESTED' -- rule 6
    when kind in ('expert_review') and status in ('queued') and 'EXPERT_REVIEW' = any (running_workers) then 'IN_REVIEW' -- rule 7
    when kind in ('expert_review') and status in ('pending', 'queued') then 'SUBMITTED' -- rule 8
    when kind in ('expert_review') then 'IN_REVIEW' -- rule 9
    when kind in ('output_generation') and status in ('running') then 'GENERATING_OUTPUT' -- rule 10
    when kind in ('output_generation') and 'OUTPUT_GENERATION' = any (running_workers) then 'GENERATING_OUTPUT' -- rule 11
    when kind in ('output_generation') and status in ('failed', 'cancelled') then 'OUTPUT_FAILED' -- rule 12
    when kind in ('output_generation') then 'SUBMITTED' -- rule 13
    when kind in ('pre_qa') and gate in ('waived') then 'READY_TO_SUBMIT' -- rule 14
    when kind in ('pre_qa') and review_failed then 'QUALITY_CHECK_FAILED' -- rule 15
    when 'QUALITY_AUTOMATION' = any (running_workers) then 'CHECKING_QUALITY' -- rule 16
    when kind in ('pre_qa') and status in ('approved') then 'READY_TO_SUBMIT' -- rule 17
    when kind in ('pre_qa') and status in ('changes_requested') then 'QUALITY_CHECK_FAILED' -- rule 18
    when kind in ('pre_qa') and status in ('cancelled') then 'DRAFT' -- rule 19
    when kind in ('pre_qa') then 'CHECKING_QUALITY' -- rule 20
    when true then 'DRAFT' -- rule 21
  end;
--> statement-breakpoint
create or replace function label_rank(label text) returns smallint language sql immutable parallel safe
  return array_position(array['DRAFT', 'CHECKING_QUALITY', 'QUALITY_CHECK_FAILED', 'READY_TO_SUBMIT', 'SUBMITTED', 'GENERATING_OUTPUT', 'OUTPUT_FAILED', 'IN_REVIEW', 'CHANGES_REQUESTED', 'PASSED', 'DELIVERED', 'REJECTED', 'DUPLICATE'], label)::smallint;
--> statement-breakpoint
create or replace function attention_of(kind text, status text, gate text)
  returns text[] language sql immutable parallel safe
  return array_remove(array[
    case when gate in ('errored') then 'errored' end,
    case when gate in ('blocked') then 'blocked' end,
    case when gate in ('revoked') then 'revoked' end,
    case when status in ('cancelled') then 'cancelled' end,
    case when kind in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration') and gate in ('passed', 'waived') then 'ready' end
  ], null);
--> statement-breakpoint
create view task_facts with (security_invoker = true) as
select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id;
--> statement-breakpoint
grant select on task_facts to stepledger_app;
--> statement-breakpoint
-- Whatever a label needs moves event_seq in the same statement, and a statement trigger sees all of it. The owner's
-- right: the application itself cannot write a label.
create function keep_labels() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into task_labels (tenant_id, task_id, unified_status, rank, attention, since, updated_at)
  select f.tenant_id, f.task_id, l.label, label_rank(l.label), attention_of(f.kind, f.status, f.gate),
    f.status_since, f.updated_at
  from (
  select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers
  from changed t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  ) f cross join lateral (select label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label) l
  on conflict (tenant_id, task_id) do update set
    unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
    since = excluded.since, updated_at = excluded.updated_at;
  return null;
end
$$;
--> statement-breakpoint
create trigger tasks_label_created after insert on tasks
  referencing new table as changed for each statement execute function keep_labels();
--> statement-breakpoint
create trigger tasks_label_moved after update on tasks
  referencing new table as changed for each statement execute function keep_labels();
--> statement-breakpoint
-- Made anew for every task: for a migration that changes the rules.
create function rebuild_labels() returns bigint language sql security definer set search_path = pg_catalog, public
begin atomic
  with rebuilt as (
    insert into task_labels (tenant_id, task_id, unified_status, rank, attention, since, updated_at)
    select f.tenant_id, f.task_id, l.label, label_rank(l.label), attention_of(f.kind, f.status, f.gate),
      f.status_since, f.updated_at
    from task_facts f
    cross join lateral (select label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label) l
    on conflict (tenant_id, task_id) do update set
      unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
      since = excluded.since, updated_at = excluded.updated_at
    returning 1
  )
  select count(*) from rebuilt;
end;
--> statement-breakpoint
revoke execute on function rebuild_labels() from public;
--> statement-breakpoint

-- Search. ILIKE is not leakproof, so under row security its index would lie idle: the function takes the
-- tenant from the setting and reads with the owner's right.
create extension if not exists pg_trgm;
--> statement-breakpoint
create index tasks_search on tasks using gin ((title || ' ' || coalesce(external_id, '')) gin_trgm_ops);
--> statement-breakpoint
create function search_tasks(needle text) returns setof uuid
  language sql stable security definer set search_path = pg_catalog, public
begin atomic
  select id from tasks
  where tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
    and (title || ' ' || coalesce(external_id, ''))
      ilike '%' || regexp_replace(needle, '([\\%_])', '\\\1', 'g') || '%';
end;
--> statement-breakpoint
-- The name of the caller's own tenant: `tenants` itself is not the application's to read.
create function tenant_name() returns text
  language sql stable security definer set search_path = pg_catalog, public
begin atomic
  select name from tenants where id = nullif(current_setting('app.tenant_id', true), '')::uuid;
end;
