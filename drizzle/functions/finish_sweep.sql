-- Records that claimed objects have been deleted from the bucket, removes their marks, and forgets deletions that are more
-- than a day old.
--
-- Called by: the daily sweep (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts), after each
-- delete.
--
-- A finished claim stays for a day because an upload that read its row before the deletion must not count as stored
-- (markStored in src/db/content/data.ts). No upload takes that long. Security definer, because the sweep crosses
-- tenants.

create or replace function finish_sweep(keys text[]) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with finished as (
    update swept_objects set deleted_at = clock_timestamp() where object_key = any(keys) and deleted_at is null
    returning tenant_id, object_key
  )
  delete from orphaned_objects o using finished f where o.tenant_id = f.tenant_id and o.object_key = f.object_key;
  delete from swept_objects where deleted_at < now() - interval '1 day';
end;

revoke execute on function finish_sweep(text[]) from public;
grant execute on function finish_sweep(text[]) to stepledger_app;
