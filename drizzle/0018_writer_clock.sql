-- The writers of history read the clock through a function that only the owner can replace, and the log of dispatches
-- takes no time before that of its previous entry: the database's clock can step back.
create or replace function writer_clock() returns timestamptz language sql volatile parallel safe
  return clock_timestamp();
--> statement-breakpoint
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
      updated_at = greatest(d.updated_at, writer_clock())
    from due where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id
  ),
  logged as (
    insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason, at)
    select due.tenant_id, new_id(), due.id, 'sent', 'pending', 'system', 'Relay', 'Nothing was heard of its message.',
      greatest(writer_clock(), (select l.at from dispatch_events l
        where l.tenant_id = due.tenant_id and l.dispatch_id = due.id order by l.position desc limit 1))
    from due where due.state = 'sent'
  )
  select claimed.tenant_id, claimed.id from claimed;
end;

revoke execute on function claim_dispatches(integer) from public;
grant execute on function claim_dispatches(integer) to stepledger_app;
--> statement-breakpoint
create or replace function mark_dispatches_sent(sent json) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with locked as (
    select d.tenant_id, d.id from json_to_recordset(sent) as s(tenant_id uuid, id uuid)
    join pipeline_dispatches d on d.tenant_id = s.tenant_id and d.id = s.id
    where d.state = 'pending'
    order by d.tenant_id, d.id
    for update of d
  ),
  marked as (
    update pipeline_dispatches d
    set state = 'sent', next_attempt_at = now() + interval '15 minutes',
      updated_at = greatest(d.updated_at, writer_clock())
    from locked where d.tenant_id = locked.tenant_id and d.id = locked.id
    returning d.tenant_id, d.id
  )
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, at)
  select marked.tenant_id, new_id(), marked.id, 'pending', 'sent', 'system', 'Relay',
    greatest(writer_clock(), (select l.at from dispatch_events l
      where l.tenant_id = marked.tenant_id and l.dispatch_id = marked.id order by l.position desc limit 1))
  from marked;
end;

revoke execute on function mark_dispatches_sent(json) from public;
grant execute on function mark_dispatches_sent(json) to stepledger_app;
