-- Returns the SHA-256 hash of one event: of the hash before it, followed by the event's canonical text in UTF-8. `hash`
-- is the hash so far; if it is null, the chain starts from `head`.
--
-- Called by: the aggregate chain_hash, and directly if a statement writes or checks one event at a time
-- (src/db/history/event-ctes.ts and history-chain.ts).
--
-- IMMUTABLE although convert_to is only STABLE: the target encoding is fixed, and a database never changes its own.

create or replace function chain_link(hash bytea, head bytea, canonical text) returns bytea
  language plpgsql immutable parallel safe as $$
begin
  return sha256(coalesce(hash, head) || convert_to(canonical, 'UTF8'));
end
$$;
