-- Labels skip withdrawn reviews, and hold what reviewers take a task by: its priority, its taxonomy code, whether it waits,
-- and the event at which that was found. The partial indexes task_labels_waiting hold only waiting tasks, in the order in
-- which they are taken.
ALTER TABLE step_events VALIDATE CONSTRAINT step_events_type;
--> statement-breakpoint
ALTER TABLE reviews VALIDATE CONSTRAINT reviews_withdrawal_fk;
--> statement-breakpoint
create or replace function claim_reviews(
  tenant uuid, code text, wanted integer, seconds integer, with_own boolean, claimant text, claimant_person uuid,
  claimant_id text, claimant_name text, operation uuid
) returns integer
  language plpgsql set search_path = pg_catalog, public, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  own_ids text[] := case when claimant_person is null then array[claimant_id] else array(
    select k.id::text from api_keys k where k.tenant_id = tenant and k.person_id = claimant_person
    union all
    select p.subject from people p where p.tenant_id = tenant and p.id = claimant_person and p.subject is not null) end;
  claimed integer := 0;
  picked_now integer;
  claimed_now integer;
begin
  for attempt in 1..10 loop
    with picked as materialized (
      select t.id, t.active_version_id, t.current_step_id, t.event_seq, v.round
      from task_labels l
        join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
        cross join lateral (select count(*)::integer + 1 as round from reviews r
          where r.tenant_id = l.tenant_id and r.step_id = t.current_step_id and r.kind = 'expert') v
      where l.tenant_id = tenant and l.waits_for_review and (code is null or l.taxonomy_code = code)
        and l.event_seq = t.event_seq
        and not exists (select from review_slots s
          where s.tenant_id = l.tenant_id and s.step_id = t.current_step_id
            and case when s.slot is null then s.round = v.round and s.person = claimant else s.lease_until > now() end)
        and (with_own or not (t.created_by = any (own_ids) or exists (select from task_versions w
          where w.tenant_id = l.tenant_id and w.id = t.active_version_id and w.created_by = any (own_ids))))
      order by l.priority desc, l.since, l.task_id
      limit wanted - claimed
      for no key update of t skip locked
    ),
    ended as materialized (
      select s.id, p.event_seq
      from picked p join review_slots s on s.tenant_id = tenant and s.step_id = p.current_step_id and s.round = p.round
        and s.slot = 1
      where s.lease_until <= now()
      for no key update of s skip locked
    ),
    taken_over as (
      update review_slots s set person = claimant, actor_id = claimant_id, actor_name = claimant_name,
        task_seq = e.event_seq, lease_seconds = seconds, lease_until = now() + make_interval(secs => seconds),
        draft = case when s.person = claimant then s.draft end, operation_id = operation, claimed_at = now()
      from ended e
      where s.tenant_id = tenant and s.id = e.id
      returning 1
    ),
    opened as (
      insert into review_slots (tenant_id, id, task_id, version_id, step_id, round, slot, person, actor_id, actor_name,
        task_seq, lease_seconds, lease_until, operation_id, claimed_at)
      select tenant, new_id(), p.id, p.active_version_id, p.current_step_id, p.round, 1, claimant, claimant_id,
        claimant_name, p.event_seq, seconds, now() + make_interval(secs => seconds), operation, now()
      from picked p
      where not exists (select from review_slots s where s.tenant_id = tenant and s.step_id = p.current_step_id
        and s.round = p.round and s.slot = 1)
      on conflict do nothing
      returning 1
    )
    select (select count(*) from picked), (select count(*) from taken_over) + (select count(*) from opened)
    into picked_now, claimed_now;
    claimed := claimed + claimed_now;
    exit when picked_now = 0 or claimed >= wanted;
  end loop;
  return claimed;
end
$$;

revoke execute on function claim_reviews(uuid, text, integer, integer, boolean, text, uuid, text, text, uuid) from public;
grant execute on function claim_reviews(uuid, text, integer, integer, boolean, text, uuid, text, text, uuid)
  to stepledger_app;
--> statement-breakpoint
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
    select f.*, label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label
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
      as waits_for_review
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
create or replace trigger reviews_withdrawn_once before update on reviews for each row
  when ((old.withdrawn_seq is not null and new.withdrawn_seq is distinct from old.withdrawn_seq)
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.step_id, new.kind, new.outcome, new.sequence, new.notes,
        new.reviewer_id, new.reviewer_name, new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.task_id, old.version_id, old.step_id, old.kind, old.outcome, old.sequence, old.notes,
        old.reviewer_id, old.reviewer_name, old.created_at))
  execute function refuse_change('Of a review only its withdrawal is recorded, once.');
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
      as waits_for_review
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
        priority, taxonomy_code, event_seq, waits_for_review)
    select l.tenant_id, l.task_id, l.label, label_rank(l.label),
      attention_of(l.kind, l.status, l.gate, l.review_failed), l.status_since, l.updated_at, l.archived, l.kind,
      l.priority, l.taxonomy_code, l.event_seq, l.waits_for_review
    from (
      select f.*, label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label
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
select rebuild_labels();
