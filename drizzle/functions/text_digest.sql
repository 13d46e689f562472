-- Returns the SHA-256 of a text in UTF-8, for a unique index over texts that are too long for an entry of it.
--
-- Called by: the index trials_live_slot, and the queries that look a slot up in it (src/db/evals).
--
-- IMMUTABLE although convert_to is only STABLE: the target encoding is fixed, and a database never changes its own.

create or replace function text_digest(value text) returns bytea
  language plpgsql immutable strict parallel safe as $$
begin
  return sha256(convert_to(value, 'UTF8'));
end
$$;
