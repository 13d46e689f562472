-- The sweep marks objects that no row names and deletes them 30 days later, and notices a restored database by the number
-- that it also writes to the bucket. Until the release before is gone, its sweep deletes no objects, because
-- claim_orphans and sweep_declared_data return no keys.
CREATE TABLE "orphaned_objects" (
	"tenant_id" uuid NOT NULL,
	"object_key" text NOT NULL,
	"orphaned_at" timestamp with time zone DEFAULT now() NOT NULL,
	"approved_at" timestamp with time zone,
	CONSTRAINT "orphaned_objects_tenant_id_object_key_pk" PRIMARY KEY("tenant_id","object_key")
);
--> statement-breakpoint
CREATE TABLE "sweeps" (
	"id" uuid PRIMARY KEY NOT NULL,
	"number" bigint NOT NULL,
	"state" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"adopted_at" timestamp with time zone,
	CONSTRAINT "sweeps_state" CHECK ("sweeps"."state" = any ('{"own","unknown","adopted"}'::text[]))
);
--> statement-breakpoint
CREATE INDEX "orphaned_objects_age" ON "orphaned_objects" USING btree ("orphaned_at");
--> statement-breakpoint
alter table orphaned_objects enable row level security;
--> statement-breakpoint
alter table orphaned_objects force row level security;
--> statement-breakpoint
create policy orphaned_objects_of_tenant on orphaned_objects to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy orphaned_objects_of_owner on orphaned_objects to stepledger_owner using (true) with check (true);
--> statement-breakpoint
grant select on orphaned_objects to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function begin_sweep(bigint, uuid) from public;
--> statement-breakpoint
grant execute on function begin_sweep(bigint, uuid) to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function mark_orphans(text[]) from public;
--> statement-breakpoint
grant execute on function mark_orphans(text[]) to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function held_orphans() from public;
--> statement-breakpoint
grant execute on function held_orphans() to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function claim_due_orphans(integer) from public;
--> statement-breakpoint
grant execute on function claim_due_orphans(integer) to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function claim_orphans(text[]) from public;
--> statement-breakpoint
grant execute on function claim_orphans(text[]) to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function finish_sweep(text[]) from public;
--> statement-breakpoint
grant execute on function finish_sweep(text[]) to stepledger_app;
--> statement-breakpoint
-- Deletes up to rows_max rows of `data` that were declared longer than `age` ago and whose content never arrived,
-- unless a data input or a trial names them. Returns their number. An object that such an upload left behind is found in
-- the bucket (mark_orphans). `keys` is always empty: the release before deletes the objects that it names.
--
-- An `age` under a day counts as a day, so the application cannot delete a declaration whose content is on its way.
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
    returning 1
  )
  select count(*)::integer, '{}'::text[] into rows, keys from swept;
end
$$;
--> statement-breakpoint
revoke execute on function sweep_declared_data(interval, integer) from public;
--> statement-breakpoint
grant execute on function sweep_declared_data(interval, integer) to stepledger_app;
