-- Gives a new event of administration its place in the tenant's chain: seq, time, prev_hash and hash. Then moves the
-- head to it. Whatever the insert says about these columns is overwritten, so a caller cannot choose them.
--
-- Called by: the trigger admin_events_chained. The row lock on the head puts the events of a tenant in order. The time
-- never falls, even if the clock is set back.
--
-- Security definer, because the application may not write admin_heads: only a new event moves a head. The tables are
-- named with their schema, and pg_temp comes last, so that a temporary table cannot take their place.

create or replace function chain_admin_event() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  head public.admin_heads;
begin
  insert into public.admin_heads (tenant_id, seq, hash, at)
  values (new.tenant_id, 0, decode(repeat('00', 32), 'hex'), '-infinity')
  on conflict (tenant_id) do nothing;
  select * into head from public.admin_heads h where h.tenant_id = new.tenant_id for update;
  new.seq := head.seq + 1;
  new.at := greatest(clock_timestamp(), head.at);
  new.prev_hash := head.hash;
  new.hash := public.chain_link(null, head.hash, public.admin_event_canonical(
    new.tenant_id, new.seq, new.type, new.subject_kind, new.subject_id,
    new.actor_id, new.actor_name, new.actor_kind, new.actor_role,
    new.reason, new.payload, new.operation_id, new.request_id, new.at));
  update public.admin_heads h set seq = new.seq, hash = new.hash, at = new.at where h.tenant_id = new.tenant_id;
  return new;
end
$$;

revoke execute on function chain_admin_event() from public;
