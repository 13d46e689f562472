-- Marks the objects of the bucket that no row of `data` names, and removes the mark of those that a row names again.
-- Returns how many it marked. Nothing is deleted: claim_due_orphans does that 30 days later. Keys that do not look like
-- TENANT/SHA-256 are ignored, and keys after the first 5,000.
--
-- Called by: the daily sweep (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts) for each page of
-- old objects. Security definer, because the sweep crosses tenants.

create or replace function mark_orphans(keys text[]) returns integer
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with listed as materialized (
    select split_part(k.key, '/', 1)::uuid as tenant_id, k.key as object_key,
      exists (select from data d where d.tenant_id = split_part(k.key, '/', 1)::uuid and d.object_key = k.key) as is_named
    from (select key from unnest(keys) as key where key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$'
      limit 5000) k
  ),
  named_again as (
    delete from orphaned_objects o using listed l
    where l.is_named and o.tenant_id = l.tenant_id and o.object_key = l.object_key
  ),
  marked as (
    insert into orphaned_objects (tenant_id, object_key)
    select tenant_id, object_key from listed where not is_named order by tenant_id, object_key
    on conflict (tenant_id, object_key) do nothing
    returning 1
  )
  select count(*)::integer from marked;
end;

revoke execute on function mark_orphans(text[]) from public;
grant execute on function mark_orphans(text[]) to stepledger_app;
