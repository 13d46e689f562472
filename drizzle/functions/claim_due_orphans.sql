-- Claims up to rows_max (at most 5,000) objects that were marked 30 days ago and that no row names now, and returns the
-- keys that the caller may now delete. Objects of tenants in held_orphans are not claimed. A mark whose object a row
-- names again is removed.
--
-- Called by: the daily sweep (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts), in batches. The
-- sweep then deletes the objects and calls finish_sweep, which removes the marks.
--
-- Security definer, because the sweep crosses tenants and only this function may insert claims. The 30 days are not a
-- parameter, so that the application cannot shorten them.
--
-- Race: an upload may finish at the same moment (docs/adr/0013-objects-are-claimed-before-deletion.md). markStored
-- (src/db/content/data.ts) takes the same advisory lock in shared mode before it looks for claims. So either this
-- function sees the row, or the upload sees the claim. A claim that was not finished within an hour belongs to a sweep
-- that died, because no Worker lives that long, and is taken over: its mark is still there.

create or replace function claim_due_orphans(rows_max integer) returns setof text
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('swept_objects'));
  delete from orphaned_objects o
  where o.orphaned_at <= now() - interval '30 days'
    and exists (select from data d where d.tenant_id = o.tenant_id and d.object_key = o.object_key);
  return query
    insert into swept_objects as s (tenant_id, object_key)
    select o.tenant_id, o.object_key from orphaned_objects o
    where o.orphaned_at <= now() - interval '30 days'
      and not exists (select from held_orphans() h where h.tenant_id = o.tenant_id)
    order by o.tenant_id, o.object_key limit least(rows_max, 5000)
    on conflict (tenant_id, object_key) do update set claimed_at = now(), deleted_at = null
      where s.deleted_at is not null or s.claimed_at < now() - interval '1 hour'
    returning s.object_key;
end
$$;

revoke execute on function claim_due_orphans(integer) from public;
grant execute on function claim_due_orphans(integer) to stepledger_app;
