-- Returns what a simulated clock shows at a moment of real time: it was set to set_to at set_at, and has run since at
-- `speed` simulated seconds per second, until `until`. Null for `until` means that it does not stop.
--
-- Called by: writer_clock_of, tenant_now, move_simulated_clock, idle_steps, and invariants. The body is one expression, so
-- Postgres inlines it. It adds seconds and no days, whose length depends on the time zone of the session; and it
-- compares with the end before it adds, so that no fast clock overflows.

create or replace function running_clock(set_to timestamptz, speed numeric, set_at timestamptz, until timestamptz,
    moment timestamptz) returns timestamptz
  language sql stable parallel safe
  return set_to + make_interval(secs => least(extract(epoch from until - set_to),
    greatest(extract(epoch from moment - set_at), 0) * speed)::double precision);
