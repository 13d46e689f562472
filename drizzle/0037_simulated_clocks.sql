-- A demo tenant can have a simulated clock. What is written of its tasks then has the time of that clock, or the time that
-- was planned for it, so that statistics, filters and histories show a story as it is told. Leases, deadlines, retries and
-- administration keep real time (docs/demo.md). In a tenant without a clock, nothing changes.
--
-- Columns that had the start of the transaction as their default now have the writers' clock. Statements of
-- the release before go on working, and have the new times.
CREATE TABLE "simulated_clocks" (
	"tenant_id" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"speed" numeric NOT NULL,
	"set_at" timestamp with time zone NOT NULL,
	"until" timestamp with time zone,
	CONSTRAINT "simulated_clocks_tenant_id_pk" PRIMARY KEY("tenant_id"),
	CONSTRAINT "simulated_clocks_speed" CHECK ("simulated_clocks"."speed" between 0 and 604800),
	CONSTRAINT "simulated_clocks_end" CHECK ("simulated_clocks"."speed" <= 1 or "simulated_clocks"."until" is not null),
	CONSTRAINT "simulated_clocks_times" CHECK ("simulated_clocks"."at" between '2000-01-01Z' and '2100-01-01Z' and coalesce("simulated_clocks"."until", "simulated_clocks"."at") between "simulated_clocks"."at" and '2100-01-01Z')
);
--> statement-breakpoint
ALTER TABLE "simulated_clocks" ADD CONSTRAINT "simulated_clocks_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
alter table simulated_clocks enable row level security;
--> statement-breakpoint
alter table simulated_clocks force row level security;
--> statement-breakpoint
create policy simulated_clocks_of_tenant on simulated_clocks to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy simulated_clocks_of_owner on simulated_clocks to stepledger_owner using (true) with check (true);
--> statement-breakpoint
-- Only move_simulated_clock writes it.
grant select on simulated_clocks to stepledger_app;
--> statement-breakpoint
create or replace function running_clock(set_to timestamptz, speed numeric, set_at timestamptz, until timestamptz,
    moment timestamptz) returns timestamptz
  language sql stable parallel safe
  return set_to + make_interval(secs => least(extract(epoch from until - set_to),
    greatest(extract(epoch from moment - set_at), 0) * speed)::double precision);
--> statement-breakpoint
create or replace function writer_clock_of(tenant uuid) returns timestamptz
  language plpgsql volatile parallel safe as $$
declare
  c public.simulated_clocks;
begin
  select s.* into c from public.simulated_clocks s where s.tenant_id = tenant;
  if not found then
    return clock_timestamp();
  end if;
  return coalesce(nullif(current_setting('app.planned_at', true), '')::timestamptz,
    public.running_clock(c.at, c.speed, c.set_at, c.until, clock_timestamp()));
end
$$;
--> statement-breakpoint
create or replace function tenant_now() returns timestamptz
  language sql stable parallel safe
begin atomic
  select coalesce((
    select running_clock(c.at, c.speed, c.set_at, c.until, now()) from simulated_clocks c
    where c.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid), now());
end;
--> statement-breakpoint
create or replace function move_simulated_clock(to_at timestamptz, to_speed numeric, to_until timestamptz default null)
  returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  shown timestamptz;
begin
  if not exists (select from tenants t where t.id = tenant and t.kind = 'demo') then
    raise exception using
      errcode = 'SL001',
      constraint = 'simulated_clocks_demo',
      message = 'Only a demo tenant has a simulated clock.';
  end if;
  insert into simulated_clocks as c (tenant_id, at, speed, set_at, until)
  values (tenant, coalesce(to_at, clock_timestamp()), to_speed, clock_timestamp(),
    case when to_until is not null then greatest(to_until, coalesce(to_at, clock_timestamp())) end)
  on conflict (tenant_id) do update set (at, speed, set_at, until) = (
    select n.at, to_speed, n.moment, case when to_until is not null then greatest(to_until, n.at) end
    from (
      select m.moment, greatest(running_clock(c.at, c.speed, c.set_at, c.until, m.moment), to_at) as at
      from (select clock_timestamp() as moment offset 0) m
      offset 0) n)
  returning c.at into shown;
  return shown;
end
$$;

revoke execute on function move_simulated_clock(timestamptz, numeric, timestamptz) from public;
grant execute on function move_simulated_clock(timestamptz, numeric, timestamptz) to stepledger_app;
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
    set state = 'pending', next_attempt_at = now() + interval '1 minute',
      updated_at = greatest(d.updated_at, writer_clock_of(d.tenant_id))
    from due where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id
  ),
  logged as (
    insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason, at)
    select due.tenant_id, new_id(), due.id, 'sent', 'pending', 'system', 'Relay', 'Nothing was heard of its message.',
      greatest(writer_clock_of(due.tenant_id), (select l.at from dispatch_events l
        where l.tenant_id = due.tenant_id and l.dispatch_id = due.id order by l.position desc limit 1))
    from due where due.state = 'sent'
  )
  select claimed.tenant_id, claimed.id from claimed;
end;

revoke execute on function claim_dispatches(integer) from public;
grant execute on function claim_dispatches(integer) to stepledger_app;
--> statement-breakpoint
create or replace function mark_dispatches_sent(sent json) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with locked as (
    select d.tenant_id, d.id from json_to_recordset(sent) as s(tenant_id uuid, id uuid)
    join pipeline_dispatches d on d.tenant_id = s.tenant_id and d.id = s.id
    where d.state = 'pending'
    order by d.tenant_id, d.id
    for update of d
  ),
  marked as (
    update pipeline_dispatches d
    set state = 'sent', next_attempt_at = now() + interval '15 minutes',
      updated_at = greatest(d.updated_at, writer_clock_of(d.tenant_id))
    from locked where d.tenant_id = locked.tenant_id and d.id = locked.id
    returning d.tenant_id, d.id
  )
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, at)
  select marked.tenant_id, new_id(), marked.id, 'pending', 'sent', 'system', 'Relay',
    greatest(writer_clock_of(marked.tenant_id), (select l.at from dispatch_events l
      where l.tenant_id = marked.tenant_id and l.dispatch_id = marked.id order by l.position desc limit 1))
  from marked;
end;

revoke execute on function mark_dispatches_sent(json) from public;
grant execute on function mark_dispatches_sent(json) to stepledger_app;
--> statement-breakpoint
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
--> statement-breakpoint
create or replace function idle_steps(rows_max integer) returns table (tenant_id uuid, task_id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select l.tenant_id, l.task_id
  from (
    select r.tenant_id, r.task_id, r.running_since, now() as present from task_labels r
    where r.running_since < now() - make_interval(secs =>
        least(3600, (select min(p.run_deadline_seconds) from pipelines p)))
      and not exists (select from simulated_clocks c where c.tenant_id = r.tenant_id)
    union all
    select r.tenant_id, r.task_id, r.running_since, running_clock(c.at, c.speed, c.set_at, c.until, now())
    from simulated_clocks c join task_labels r on r.tenant_id = c.tenant_id and r.running_since is not null
  ) l
  join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  cross join lateral (select make_interval(secs => coalesce((select p.run_deadline_seconds from pipelines p
      where p.tenant_id = l.tenant_id and p.name = case s.kind when 'pre_qa' then 'quality_automation'
        when 'output_generation' then 'output_generation' when 'calibration' then 'post_qa_scoring' end), 3600))
    as deadline) d
  where l.running_since < l.present - d.deadline
    and s.gate <> 'blocked' and s.deferred is null
    and not exists (select from worker_runs w where w.tenant_id = s.tenant_id and w.step_id = s.id
      and w.state in ('QUEUED', 'RUNNING'))
    and not exists (select from worker_runs w where w.tenant_id = s.tenant_id and w.task_id = t.id and w.step_id = s.id
      and w.updated_at > l.present - d.deadline)
  order by l.running_since limit least(rows_max, 1000);
end;

revoke execute on function idle_steps(integer) from public;
grant execute on function idle_steps(integer) to stepledger_app;
--> statement-breakpoint
create or replace function writer_clock() returns timestamptz
  language sql volatile parallel safe
  return writer_clock_of(nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
ALTER TABLE "analytics_events" ALTER COLUMN "at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "bulk_operations" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "data" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "dispatch_events" ALTER COLUMN "at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "evals" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "insights" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "insights" ALTER COLUMN "updated_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ALTER COLUMN "updated_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "prompts" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "reviews" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "run_late_reports" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "steps" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "task_versions" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "tasks" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "trials" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ALTER COLUMN "occurred_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "worker_runs" ALTER COLUMN "created_at" SET DEFAULT writer_clock();
--> statement-breakpoint
ALTER TABLE "worker_runs" ALTER COLUMN "updated_at" SET DEFAULT writer_clock();
