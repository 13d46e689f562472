-- Returns the time that the writers of history read: the database's clock.
--
-- Called by: the statements that write tasks' and evals' events, dispatches, runs and bulk operations
-- (src/db/sql/writer-clock.ts). Each takes the greater of this and the time before, because the clock can step back: by
-- NTP, or by a failover to a machine whose clock is behind.
--
-- Only the owner can replace it, so no caller can choose the time of what it writes. Tests replace it to step the clock.
-- The body is one expression, so Postgres inlines it.

create or replace function writer_clock() returns timestamptz language sql volatile parallel safe
  return clock_timestamp();
