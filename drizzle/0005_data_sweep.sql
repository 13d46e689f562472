CREATE TABLE "sweep_positions" (
	"sweep" text PRIMARY KEY NOT NULL,
	"position" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "swept_objects" (
	"tenant_id" uuid NOT NULL,
	"object_key" text NOT NULL,
	"claimed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "swept_objects_tenant_id_object_key_pk" PRIMARY KEY("tenant_id","object_key")
);
--> statement-breakpoint
CREATE INDEX "data_object" ON "data" USING btree ("tenant_id","object_key");--> statement-breakpoint
CREATE INDEX "data_declared" ON "data" USING btree ("created_at") WHERE stored_at is null and uri is null;
--> statement-breakpoint

alter table swept_objects enable row level security;
--> statement-breakpoint
alter table swept_objects force row level security;
--> statement-breakpoint
create policy swept_objects_of_tenant on swept_objects to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy swept_objects_of_owner on swept_objects to stepledger_owner using (true) with check (true);
--> statement-breakpoint
grant select on swept_objects to stepledger_app;
--> statement-breakpoint

-- A row says what its content is before anybody sends it; all that ever changes is that it has come.
create trigger data_stored_once before update on data for each row
  when ((old.stored_at is not null and new.stored_at is distinct from old.stored_at)
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.step_id, new.kind, new.object_key, new.uri,
        new.content_type, new.size_bytes, new.sha256, new.model, new.model_revision, new.agent, new.provider,
        new.prompt_id, new.insight_id, new.created_by, new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.task_id, old.version_id, old.step_id, old.kind, old.object_key, old.uri,
        old.content_type, old.size_bytes, old.sha256, old.model, old.model_revision, old.agent, old.provider,
        old.prompt_id, old.insight_id, old.created_by, old.created_at))
  execute function refuse_change('Of data only the time of storage is set, once.');
--> statement-breakpoint
revoke update on data from stepledger_app;
--> statement-breakpoint
grant update (stored_at) on data to stepledger_app;
--> statement-breakpoint

-- The sweep, across tenants. --------------------------------------------------------------------------

-- Claims objects that no row names, and tells which of them are now the caller's to delete. Whoever marks content as
-- stored holds this lock shared and then looks for claims, so that one of the two always sees the other. A claim that
-- was never finished is taken over after an hour: no Worker lives that long.
create function claim_orphans(keys text[]) returns setof text
  language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  perform pg_advisory_xact_lock(hashtext('swept_objects'));
  return query
    insert into swept_objects as s (tenant_id, object_key)
    select split_part(k.key, '/', 1)::uuid, k.key
    from (select key from unnest(keys) as key where key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$'
      order by key) k
    where not exists (select from data d
      where d.tenant_id = split_part(k.key, '/', 1)::uuid and d.object_key = k.key)
    on conflict (tenant_id, object_key) do update set claimed_at = now(), deleted_at = null
      where s.deleted_at is not null or s.claimed_at < now() - interval '1 hour'
    returning s.object_key;
end
$$;
--> statement-breakpoint
-- Takes away rows whose content never came, unless something names them, and claims the objects that went with them;
-- claims that an earlier sweep left unfinished come along.
create function sweep_declared_data(age interval, rows_max integer, out rows integer, out keys text[])
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  tenants uuid[];
  ids uuid[];
  freed text[];
begin
  -- Before any row, as those who mark content as stored take it.
  perform pg_advisory_xact_lock(hashtext('swept_objects'));
  select array_agg(locked.tenant_id), array_agg(locked.id) into tenants, ids
  from (
    select d.tenant_id, d.id from data d
    where d.stored_at is null and d.uri is null and d.created_at < now() - age
      and not exists (select from data_inputs i where i.tenant_id = d.tenant_id and i.parent_id = d.id)
      and not exists (select from trials t where t.tenant_id = d.tenant_id and t.output_data_id = d.id)
    order by d.created_at limit rows_max
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
    returning d.object_key
  )
  select count(*)::integer, array_agg(distinct object_key) into rows, freed from swept;

  with resumed as (
    update swept_objects s set claimed_at = now()
    where s.deleted_at is null and s.claimed_at < now() - interval '1 hour'
    returning s.object_key
  )
  select array_agg(r.object_key) into keys from resumed r;
  keys := coalesce(keys, '{}') || array(select claim_orphans(freed));
end
$$;
--> statement-breakpoint
-- Says that the claimed objects are gone. A claim is remembered for a day, longer than any upload lasts.
create function finish_sweep(keys text[]) returns void
  language sql security definer set search_path = pg_catalog, public
begin atomic
  update swept_objects set deleted_at = clock_timestamp() where object_key = any(keys) and deleted_at is null;
  delete from swept_objects where deleted_at < now() - interval '1 day';
end;
--> statement-breakpoint
create function sweep_position(of_sweep text) returns text
  language sql stable security definer set search_path = pg_catalog, public
begin atomic
  select position from sweep_positions where sweep = of_sweep;
end;
--> statement-breakpoint
create function keep_sweep_position(of_sweep text, reached text) returns void
  language sql security definer set search_path = pg_catalog, public
begin atomic
  insert into sweep_positions (sweep, position) values (of_sweep, reached)
  on conflict (sweep) do update set position = excluded.position;
end;
--> statement-breakpoint
revoke execute on function claim_orphans(text[]), sweep_declared_data(interval, integer), finish_sweep(text[]),
  sweep_position(text), keep_sweep_position(text, text) from public;
--> statement-breakpoint
grant execute on function claim_orphans(text[]), sweep_declared_data(interval, integer), finish_sweep(text[]),
  sweep_position(text), keep_sweep_position(text, text) to stepledger_app;
