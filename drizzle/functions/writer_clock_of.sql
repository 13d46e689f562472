-- Returns the time for what is written of a tenant: the database's clock; or in a demo with a simulated clock, the planned
-- time of the transaction (the setting app.planned_at), else what that clock shows now.
--
-- Called by: writer_clock, and by functions that write across tenants. Each caller takes the greater of this and the time
-- before, because the database's clock can step back: by NTP, or by a failover to a machine whose clock is behind.
--
-- A planned time has no effect in a tenant without a row in simulated_clocks, and only move_simulated_clock can insert
-- one, only in a demo. Row security limits the application to its own tenant's row. Names are qualified, so that no
-- search_path of a session can put another table in the place of simulated_clocks. Only the owner can replace this
-- function, so no caller can choose the time of what it writes. Tests replace it to step the clock.
--
-- In PL/pgSQL, which keeps the plan of the lookup in the session: a function in SQL plans it again in every statement.

create or replace function writer_clock_of(tenant uuid) returns timestamptz
  language plpgsql volatile parallel safe as $$
declare
  c public.simulated_clocks;
begin
  select s.* into c from public.simulated_clocks s where s.tenant_id = tenant;
  if not found then
    return clock_timestamp();
  end if;
  return coalesce(nullif(current_setting('app.planned_at', true), '')::timestamptz,
    public.running_clock(c.at, c.speed, c.set_at, c.until, clock_timestamp()));
end
$$;
