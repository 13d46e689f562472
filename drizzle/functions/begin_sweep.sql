-- Begins a daily sweep of the bucket, and returns its number and id; nulls if the bucket was last swept by a sweep that this
-- database does not know. The database was then restored from an older backup, or another one uses the same bucket, and
-- objects without a row may belong to rows that are gone. The unknown sweep is recorded for `npm run adopt`.
--
-- bucket_number and bucket_id are what the bucket says; null if nothing has swept it yet. The caller writes the new
-- number and id to the bucket before it deletes anything. A sweep that ends in between is known here but not in the
-- bucket, which does no harm.
--
-- Called by: the daily sweep (src/actions/upkeep/sweep-data.ts, through src/db/content/data-sweep.ts). Security definer,
-- because the application has no rights on sweeps, which belongs to no tenant. It cannot adopt a sweep, and the id is made
-- here, so it cannot pass one off as its own either.

create or replace function begin_sweep(bucket_number bigint, bucket_id uuid, out begun_number bigint, out begun_id uuid)
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  -- Two sweeps at once get two numbers.
  perform pg_advisory_xact_lock(hashtext('sweeps'));
  if bucket_id is not null
    and not exists (select from sweeps s where s.id = bucket_id and s.state in ('own', 'adopted'))
  then
    insert into sweeps (id, number, state) values (bucket_id, bucket_number, 'unknown') on conflict (id) do nothing;
    return;
  end if;
  insert into sweeps (id, number, state)
  select gen_random_uuid(), coalesce(max(s.number), 0) + 1, 'own' from sweeps s where s.state in ('own', 'adopted')
  returning sweeps.number, sweeps.id into begun_number, begun_id;
end
$$;

revoke execute on function begin_sweep(bigint, uuid) from public;
grant execute on function begin_sweep(bigint, uuid) to stepledger_app;
