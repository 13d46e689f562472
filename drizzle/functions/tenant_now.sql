-- Returns the present time of the caller's tenant: that of its simulated clock if it has one, else the start of the
-- transaction.
--
-- Called by: reads that compare the times of histories with now, and GET /v1/me. Unlike writer_clock, it returns the same
-- time throughout a statement.

create or replace function tenant_now() returns timestamptz
  language sql stable parallel safe
begin atomic
  select coalesce((
    select running_clock(c.at, c.speed, c.set_at, c.until, now()) from simulated_clocks c
    where c.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid), now());
end;
