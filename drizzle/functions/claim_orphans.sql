-- Claims the objects of the bucket that no row of `data` names, and returns the keys that the caller may now delete.
-- Keys that do not look like TENANT/SHA-256 are ignored, and keys after the first 5,000.
--
-- Called by: the daily sweep (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts) for each page of
-- old objects, and sweep_declared_data. The sweep then deletes the objects and calls finish_sweep.
--
-- Security definer, because the sweep crosses tenants and only this function may insert claims.
--
-- Race: an upload may finish at the same moment (docs/adr/0013-objects-are-claimed-before-deletion.md). markStored
-- (src/db/content/data.ts) takes the same advisory lock in shared mode before it looks for claims. So either this
-- function sees the row, or the upload sees the claim. A claim that was not finished within an hour belongs to a sweep
-- that died, because no Worker lives that long, and is taken over.

create or replace function claim_orphans(keys text[]) returns setof text
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('swept_objects'));
  return query
    insert into swept_objects as s (tenant_id, object_key)
    select split_part(k.key, '/', 1)::uuid, k.key
    from (select key from unnest(keys) as key where key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$'
      order by key limit 5000) k
    where not exists (select from data d
      where d.tenant_id = split_part(k.key, '/', 1)::uuid and d.object_key = k.key)
    on conflict (tenant_id, object_key) do update set claimed_at = now(), deleted_at = null
      where s.deleted_at is not null or s.claimed_at < now() - interval '1 hour'
    returning s.object_key;
end
$$;

revoke execute on function claim_orphans(text[]) from public;
grant execute on function claim_orphans(text[]) to stepledger_app;
