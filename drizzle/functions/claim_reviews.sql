-- Claims up to `wanted` tasks that wait for a reviewer: the most urgent first, then those that wait longest. Returns how
-- many it claimed.
--
-- Called by: claimReviews (src/db/reviews/claim-reviews.ts), whose next statement reads what was claimed.
--
-- A task is claimed under its lock, and a move or a review of it takes the same lock. Tasks and slots that others hold
-- locked are skipped, so no claim waits for another and none can deadlock. A task that has moved since it was labeled is
-- skipped by its event_seq, which Postgres compares again once it has the lock. A task that someone claimed and committed
-- in between looks free to this statement's snapshot. Taking its slot then fails, and the loop looks again.
--
-- The partial indexes task_labels_waiting and task_labels_waiting_by_code hold the waiting tasks in this order. A plan for
-- all parameters could use neither well, so every call is planned for its own.

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
