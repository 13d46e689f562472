-- Returns the time for what is written of the caller's tenant: see writer_clock_of.
--
-- Called by: the statements that write tasks' and evals' events, dispatches, runs, bulk operations and what tasks contain
-- (src/db/sql/writer-clock.ts), and the defaults of their columns. The body is one expression, so Postgres inlines it.

create or replace function writer_clock() returns timestamptz
  language sql volatile parallel safe
  return writer_clock_of(nullif(current_setting('app.tenant_id', true), '')::uuid);
