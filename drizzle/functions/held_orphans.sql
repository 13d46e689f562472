-- Returns the tenants that would lose more than 100 objects, and more than 1 % of theirs, because these were marked 30
-- days ago and no row names them. Their objects are held until an operator runs `npm run adopt`. `total` counts the
-- tenant's objects only up to the point where `due` would be 1 %.
--
-- Called by: claim_due_orphans, which does not claim these objects, the daily sweep, which reports them
-- (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts), and `npm run adopt`. Security definer,
-- because it crosses tenants.

create or replace function held_orphans() returns table (tenant_id uuid, due bigint, total bigint)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select o.tenant_id, o.due, o.marked + named.objects
  from (
    select o.tenant_id, count(*) as marked,
      count(*) filter (where o.orphaned_at <= now() - interval '30 days' and o.approved_at is null) as due
    from orphaned_objects o group by o.tenant_id
  ) o
  cross join lateral (
    select count(*) as objects from (
      select distinct d.object_key from data d
      where d.tenant_id = o.tenant_id and d.object_key is not null and d.stored_at is not null
      limit o.due * 100
    ) d
  ) named
  where o.due > 100 and o.due * 100 > o.marked + named.objects;
end;

revoke execute on function held_orphans() from public;
grant execute on function held_orphans() to stepledger_app;
