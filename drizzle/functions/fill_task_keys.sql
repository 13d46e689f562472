-- Sets the keys of the next tasks from before migration 0022_task_keys that have none, in the order of (tenant, id). Returns the last
-- task that it read; null after the last one.
--
-- Called by: `npm run migrate` (scripts/stack/migrate.ts), part by part, so that no lock outlasts a part. It repeats the
-- whole in well under a second once nothing is left.
--
-- If several external ids of a tenant have the same key, the first task gets it. The others keep their ids and are found
-- by their exact spelling; `npm run verify` names them.

create or replace function fill_task_keys(
  after_tenant uuid, after_id uuid, rows_max integer, out last_tenant uuid, out last_id uuid)
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  with part as materialized (
    select tenant_id, id, external_id_key(external_id) as key from tasks
    where (tenant_id, id) > (after_tenant, after_id)
    order by tenant_id, id limit rows_max
  ),
  unfilled as materialized (
    select t.tenant_id, t.id, p.key from part p join tasks t using (tenant_id, id)
    where t.title_key is null
    order by t.tenant_id, t.id
    for no key update of t
  ),
  first as (
    select distinct on (tenant_id, key) tenant_id, id, key from unfilled u
    where key is not null and not exists (
      select from tasks o where o.tenant_id = u.tenant_id and o.external_id_key = u.key and o.id <> u.id)
    order by tenant_id, key, id
  ),
  filled as (
    -- The trigger tasks_keys_changed computes both keys.
    update tasks t set title_key = '', external_id_key = f.key
    from unfilled u left join first f using (tenant_id, id)
    where t.tenant_id = u.tenant_id and t.id = u.id
  )
  select tenant_id, id into last_tenant, last_id from part order by tenant_id desc, id desc limit 1;
end
$$;

revoke execute on function fill_task_keys(uuid, uuid, integer) from public;
