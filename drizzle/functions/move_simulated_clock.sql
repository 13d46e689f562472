-- Sets the simulated clock of the caller's tenant, and returns what it shows then. It shows to_at, or what it shows already
-- if that is later or to_at is null: a clock never falls. From there it runs at to_speed simulated seconds per second,
-- until to_until at most. The first call starts the clock, from the present if to_at is null.
--
-- Raises SL001 with the constraint simulated_clocks_demo if the tenant is not a demo.
--
-- Called by: moveSimulatedClock (src/db/tenants/simulated-clock.ts). Security definer, because the application can only
-- read simulated_clocks, and cannot read the kinds of tenants. It writes no row but that of the tenant in the setting
-- app.tenant_id.
--
-- One statement, so that the row is locked when its clock is read, and two calls at once cannot let it fall. The present is
-- read once: a fast clock moves on between two readings.

create or replace function move_simulated_clock(to_at timestamptz, to_speed numeric, to_until timestamptz default null)
  returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  shown timestamptz;
begin
  if not exists (select from tenants t where t.id = tenant and t.kind = 'demo') then
    raise exception using
      errcode = 'SL001',
      constraint = 'simulated_clocks_demo',
      message = 'Only a demo tenant has a simulated clock.';
  end if;
  insert into simulated_clocks as c (tenant_id, at, speed, set_at, until)
  values (tenant, coalesce(to_at, clock_timestamp()), to_speed, clock_timestamp(),
    case when to_until is not null then greatest(to_until, coalesce(to_at, clock_timestamp())) end)
  on conflict (tenant_id) do update set (at, speed, set_at, until) = (
    select n.at, to_speed, n.moment, case when to_until is not null then greatest(to_until, n.at) end
    from (
      select m.moment, greatest(running_clock(c.at, c.speed, c.set_at, c.until, m.moment), to_at) as at
      from (select clock_timestamp() as moment offset 0) m
      offset 0) n)
  returning c.at into shown;
  return shown;
end
$$;

revoke execute on function move_simulated_clock(timestamptz, numeric, timestamptz) from public;
grant execute on function move_simulated_clock(timestamptz, numeric, timestamptz) to stepledger_app;
