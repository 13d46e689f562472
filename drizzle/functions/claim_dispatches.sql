-- Claims up to rows_max dispatches that are due and returns them to be put on the queue. A claim lasts one minute:
-- until then no other caller gets the dispatch. Dispatches under a delivery lease are skipped.
--
-- Called by: relayDispatches (src/actions/outgoing/relay-dispatches.ts, through src/db/dispatches/outbox.ts), after
-- each write that created dispatches and in the sweep.
--
-- A dispatch whose message was sent but had no effect becomes due again after 15 minutes (mark_dispatches_sent). It
-- returns to `pending`, with an entry in dispatch_events. If its first message was not lost after all, the second one
-- has no effect.
--
-- Security definer, because it crosses tenants. Concurrent callers share the work through SKIP LOCKED.

create or replace function claim_dispatches(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with due as (
    select d.tenant_id, d.id, d.state from pipeline_dispatches d
    where d.state in ('pending', 'sent') and d.next_attempt_at <= now()
      and (d.lease_until is null or d.lease_until < now())
    order by d.next_attempt_at limit least(rows_max, 1000)
    for update skip locked
  ),
  claimed as (
    update pipeline_dispatches d
    set state = 'pending', next_attempt_at = now() + interval '1 minute',
      updated_at = greatest(d.updated_at, writer_clock_of(d.tenant_id))
    from due where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id
  ),
  logged as (
    insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason, at)
    select due.tenant_id, new_id(), due.id, 'sent', 'pending', 'system', 'Relay', 'Nothing was heard of its message.',
      greatest(writer_clock_of(due.tenant_id), (select l.at from dispatch_events l
        where l.tenant_id = due.tenant_id and l.dispatch_id = due.id order by l.position desc limit 1))
    from due where due.state = 'sent'
  )
  select claimed.tenant_id, claimed.id from claimed;
end;

revoke execute on function claim_dispatches(integer) from public;
grant execute on function claim_dispatches(integer) to stepledger_app;
