-- Records that the messages of these dispatches are on the queue. `sent` is a JSON array of {tenant_id, id}. If a
-- dispatch is still `sent` after 15 minutes, claim_dispatches hands it out again. A queue that is further behind
-- delivers a message twice, which has no effect.
--
-- Called by: relayDispatches (src/actions/outgoing/relay-dispatches.ts, through src/db/dispatches/outbox.ts), right
-- after the queue accepted the messages.
--
-- Only `pending` dispatches change: one that was delivered or recalled in the meantime keeps its state. Rows are locked
-- in the order of their ids, so that concurrent calls cannot deadlock. Security definer, because it crosses tenants.

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
      updated_at = greatest(d.updated_at, writer_clock_of(d.tenant_id))
    from locked where d.tenant_id = locked.tenant_id and d.id = locked.id
    returning d.tenant_id, d.id
  )
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, at)
  select marked.tenant_id, new_id(), marked.id, 'pending', 'sent', 'system', 'Relay',
    greatest(writer_clock_of(marked.tenant_id), (select l.at from dispatch_events l
      where l.tenant_id = marked.tenant_id and l.dispatch_id = marked.id order by l.position desc limit 1))
  from marked;
end;

revoke execute on function mark_dispatches_sent(json) from public;
grant execute on function mark_dispatches_sent(json) to stepledger_app;
