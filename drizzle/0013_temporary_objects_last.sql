-- Functions with the owner's rights searched temporary objects first, because Postgres does so unless pg_temp has a
-- place in the search_path. A session of the application could therefore have a function write its own temporary table,
-- whose trigger then ran as the owner. Now temporary objects come last, and the application cannot create any.
--
-- Functions with the owner's rights can be executed only by those who need them: anyone could attach keep_labels to a
-- table of their own. Those that work across tenants get bounds that their caller cannot exceed.

do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
--> statement-breakpoint
alter function feed_generation() set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function finish_sweep(text[]) set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function keep_labels() set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function mark_dispatches_sent(json) set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function rebuild_labels() set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function refuse_change() set search_path = pg_catalog, pg_temp;
--> statement-breakpoint
alter function refuse_sealed_steps() set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function search_tasks(text) set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function sweep_position(text) set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
alter function tenant_name() set search_path = pg_catalog, public, pg_temp;
--> statement-breakpoint
revoke execute on function feed_generation(), keep_labels(), search_tasks(text), tenant_name() from public;
--> statement-breakpoint
grant execute on function search_tasks(text), tenant_name() to stepledger_app;
--> statement-breakpoint
create or replace function claim_dispatches(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with due as (
    select d.tenant_id, d.id, d.state from pipeline_dispatches d
    where d.state in ('pending', 'sent') and d.next_attempt_at <= now()
      and (d.lease_until is null or d.lease_until < now())
    order by d.next_attempt_at limit least(rows_max, 1000)
    for update skip locked
  ),
  claimed as (
    update pipeline_dispatches d
    set state = 'pending', next_attempt_at = now() + interval '1 minute', updated_at = now()
    from due where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id
  ),
  logged as (
    insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason)
    select due.tenant_id, new_id(), due.id, 'sent', 'pending', 'system', 'Relay', 'Nothing was heard of its message.'
    from due where due.state = 'sent'
  )
  select claimed.tenant_id, claimed.id from claimed;
end;
--> statement-breakpoint
create or replace function claim_halted_operations(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with halted as (
    select b.tenant_id, b.id from bulk_operations b
    where b.state in ('queued', 'running') and b.progress_at < now() - interval '5 minutes'
    order by b.progress_at limit least(rows_max, 1000)
    for update skip locked
  )
  update bulk_operations b set progress_at = now()
  from halted where b.tenant_id = halted.tenant_id and b.id = halted.id
  returning b.tenant_id, b.id;
end;
--> statement-breakpoint
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
--> statement-breakpoint
create or replace function expire_operations(rows_max integer) returns integer
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with expired as (
    select o.tenant_id, o.id from operations o where o.expires_at <= now()
    limit least(rows_max, 5000) for update skip locked
  ),
  gone as (
    delete from operations o using expired
    where o.tenant_id = expired.tenant_id and o.id = expired.id
    returning 1
  )
  select count(*)::integer from gone;
end;
--> statement-breakpoint
create or replace function keep_dead_letter(queue text, message_id text, reason text, body text) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  insert into dead_letters (queue, message_id, reason, body)
  values (left(keep_dead_letter.queue, 200), left(keep_dead_letter.message_id, 200),
    left(keep_dead_letter.reason, 10000), left(keep_dead_letter.body, 200000))
  on conflict do nothing;
end;
--> statement-breakpoint
create or replace function keep_sweep_position(of_sweep text, reached text) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  insert into sweep_positions (sweep, position)
  select of_sweep, left(reached, 1024) where of_sweep = 'objects'
  on conflict (sweep) do update set position = excluded.position;
end;
--> statement-breakpoint
create or replace function late_runs(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select w.tenant_id, w.id from worker_runs w
  where w.state in ('QUEUED', 'RUNNING') and w.deadline_at < now()
  order by w.deadline_at limit least(rows_max, 1000);
end;
--> statement-breakpoint
create or replace function sweep_declared_data(age interval, rows_max integer, out rows integer, out keys text[])
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
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
create or replace function tenants_with_untold_webhooks(rows_max integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select distinct w.tenant_id from webhooks w
  where w.enabled and (
    exists (select from webhook_deliveries d
      where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.state = 'pending' and d.relay_at <= now())
    or w.events && '{task.label_changed,task.attention}' and exists (select from step_events e
      where e.tenant_id = w.tenant_id and (e.txid, e.feed_id) > (w.position_txid, w.position_feed_id)))
  order by w.tenant_id limit least(rows_max, 1000);
end;
