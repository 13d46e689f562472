-- Used as a window function over the new events of a task or an eval, in order, it returns the hash of each event. The
-- chain starts from the head that is stored on the task or eval. With it, one statement can append any number of events
-- to any number of chains.
--
-- Called by: chained() in src/db/history/event-ctes.ts, as `chain_hash(event_head, canonical) over (partition by …
-- order by ordinal rows unbounded preceding)`.
--
-- There is no initial state. The first call therefore gets a null hash, and chain_link starts from the head.

create or replace aggregate chain_hash(head bytea, canonical text) (sfunc = chain_link, stype = bytea);
