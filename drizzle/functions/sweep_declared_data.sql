-- Deletes up to rows_max rows of `data` that were declared longer than `age` ago and whose content never arrived,
-- unless a data input or a trial names them. Returns their number. An object that such an upload left behind is found in
-- the bucket (mark_orphans). `keys` is always empty: the release before deletes the objects that it names.
--
-- An `age` under a day counts as a day, so the application cannot delete a declaration whose content is on its way. In a
-- tenant with a simulated clock, created_at is simulated, so the id also has to be that old: it begins with the real time
-- (UUIDv7).
-- rows_max is at most 5,000.
--
-- Called by: the daily sweep (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts), in batches.
--
-- Security definer, because it crosses tenants and the application may not delete from `data`.
--
-- Races. The advisory lock comes first, as in markStored (src/db/content/data.ts): the same order for both cannot
-- deadlock. FOR UPDATE then keeps new rows from naming the candidates, because a foreign key needs a share lock on the
-- row that it names. A row that did so just before is not visible to the first query's snapshot, so a second query,
-- with a snapshot of its own, looks again. SKIP LOCKED leaves rows that are in use to the next sweep.

create or replace function sweep_declared_data(age interval, rows_max integer, out rows integer, out keys text[])
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  tenants uuid[];
  ids uuid[];
begin
  -- Before any row, as those who mark content as stored take it.
  perform pg_advisory_xact_lock(hashtext('swept_objects'));
  select array_agg(locked.tenant_id), array_agg(locked.id) into tenants, ids
  from (
    select d.tenant_id, d.id from data d
    where d.stored_at is null and d.uri is null and d.created_at < now() - greatest(age, interval '1 day')
      and not exists (select from simulated_clocks c where c.tenant_id = d.tenant_id
        and to_timestamp(('x' || translate(left(d.id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
          >= now() - greatest(age, interval '1 day'))
      and not exists (select from data_inputs i where i.tenant_id = d.tenant_id and i.parent_id = d.id)
      and not exists (select from trials t where t.tenant_id = d.tenant_id and t.output_data_id = d.id)
    order by d.created_at limit least(rows_max, 5000)
    for update skip locked
  ) locked;
  -- Once more: under the lock nobody can begin to name a row, but somebody may have a moment before.
  select array_agg(o.tenant_id), array_agg(o.id) into tenants, ids
  from unnest(tenants, ids) as o(tenant_id, id)
  where not exists (select from data_inputs i where i.tenant_id = o.tenant_id and i.parent_id = o.id)
    and not exists (select from trials t where t.tenant_id = o.tenant_id and t.output_data_id = o.id);

  delete from data_inputs i using unnest(tenants, ids) as o(tenant_id, id)
  where i.tenant_id = o.tenant_id and i.child_id = o.id;
  with swept as (
    delete from data d using unnest(tenants, ids) as o(tenant_id, id)
    where d.tenant_id = o.tenant_id and d.id = o.id
    returning d.tenant_id, d.object_key
  ),
  -- These rows named their objects until now, so an older mark does not count.
  unmarked as (
    delete from orphaned_objects o using swept s where o.tenant_id = s.tenant_id and o.object_key = s.object_key
  )
  select count(*)::integer, '{}'::text[] into rows, keys from swept;
end
$$;

revoke execute on function sweep_declared_data(interval, integer) from public;
grant execute on function sweep_declared_data(interval, integer) to stepledger_app;
