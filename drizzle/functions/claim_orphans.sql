-- Marks the objects of the bucket that no row of `data` names, like mark_orphans, and returns no keys.
--
-- Called by: nothing in this release. The release before deletes the keys that this function returns, so its sweep
-- deletes no object while both releases run. The next release drops it.

create or replace function claim_orphans(keys text[]) returns setof text
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select mark_orphans(keys);
  select null::text where false;
end;

revoke execute on function claim_orphans(text[]) from public;
grant execute on function claim_orphans(text[]) to stepledger_app;
