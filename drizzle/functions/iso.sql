-- Returns a time as the API and the hash chain spell it: ISO 8601 in UTC with six decimals and a Z.
--
-- Called by: most statements in src/db that build JSON for an answer.
--
-- Postgres's own JSON format of a timestamptz depends on the session's time zone; this one does not. It is nevertheless
-- only STABLE, because to_char is, and a stricter label than its body's would keep Postgres from inlining it.
-- step_event_canonical and eval_event_canonical repeat the format instead of calling this function, so that a change of
-- how answers look can never change a hash.

create or replace function iso(moment timestamptz) returns text language sql stable parallel safe
  return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
