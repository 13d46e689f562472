-- Claims up to rows_max seed runs that should have gone on two minutes ago and did not, and returns them to be put on the
-- queue again: a tick of a run with a speed is overdue, or a slice or a deletion has stopped. Their message was lost, or
-- the consumer that worked on them died.
--
-- Called by: the sweep (src/actions/upkeep/sweep.ts, through src/db/seed/seed-work.ts).
--
-- Setting tick_due_at is the claim: no other caller gets the run for the next two minutes. It is the present, so the
-- message finds the tick due. ticked_at moves with it, so the time in which nothing happened does not count. Concurrent
-- callers share the work through SKIP LOCKED. Security definer, because it crosses
-- tenants. The partial index seed_runs_due serves it.

create or replace function claim_due_seed_runs(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with due as (
    select r.tenant_id, r.id from seed_runs r
    where r.state in ('active', 'deleting') and r.tick_due_at < now() - interval '2 minutes'
      and (r.speed > 0 or r.state = 'deleting' or r.applied_until < r.wanted_until)
      and (r.lease_until is null or r.lease_until < now())
    order by r.tick_due_at limit least(rows_max, 1000)
    for update skip locked
  )
  update seed_runs r set tick_due_at = now(), ticked_at = now() - (r.tick_due_at - r.ticked_at)
  from due where r.tenant_id = due.tenant_id and r.id = due.id
  returning r.tenant_id, r.id;
end;

revoke execute on function claim_due_seed_runs(integer) from public;
grant execute on function claim_due_seed_runs(integer) to stepledger_app;
