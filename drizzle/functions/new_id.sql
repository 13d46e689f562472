-- Returns a new UUIDv7 (RFC 9562): 48 bits of Unix time in milliseconds, then random bits.
--
-- Called by: statements that insert rows whose number the Worker cannot know, such as one log entry for each dispatch
-- that an UPDATE matched (src/db/dispatches, src/db/moves, src/db/bulk/end-bulk.ts, src/db/webhooks), and by
-- claim_dispatches and mark_dispatches_sent. The Worker makes all other ids itself.
--
-- Volatile, because each row needs an id of its own. Postgres has uuidv7() from version 18 on; this function also runs
-- on older versions. The variant bits come from gen_random_uuid(), whose tail it keeps.

create or replace function new_id() returns uuid language sql volatile parallel safe
  return (lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;
