-- What drizzle-kit cannot express: the keys that make the central promise, append-only streams,
-- row security, grants, and the functions of the hash chain.

-- The central promise, as deferred keys. ------------------------------------------------------------

-- The current step is of this task and of its active version.
alter table tasks add constraint tasks_current_step_fk
  foreign key (tenant_id, current_step_id, id, active_version_id)
  references steps (tenant_id, id, task_id, version_id) deferrable initially deferred;
--> statement-breakpoint
-- The active version's own pointer says the same.
alter table tasks add constraint tasks_active_version_fk
  foreign key (tenant_id, active_version_id, id, current_step_id)
  references task_versions (tenant_id, id, task_id, current_step_id) deferrable initially deferred;
--> statement-breakpoint
-- The task's newest event names the step that the task points at.
alter table tasks add constraint tasks_newest_event_fk
  foreign key (tenant_id, id, event_seq, current_step_id)
  references step_events (tenant_id, task_id, seq, step_id) deferrable initially deferred;
--> statement-breakpoint
-- A version points at a step of its own.
alter table task_versions add constraint task_versions_current_step_fk
  foreign key (tenant_id, current_step_id, task_id, id)
  references steps (tenant_id, id, task_id, version_id) deferrable initially deferred;
--> statement-breakpoint
-- A step's status and gate are those that its newest event gave it.
alter table steps add constraint steps_newest_event_fk
  foreign key (tenant_id, task_id, event_seq, id, status, gate)
  references step_events (tenant_id, task_id, seq, step_id, to_status, to_gate) deferrable initially deferred;
--> statement-breakpoint
-- An eval's status is the one that its newest event gave it.
alter table evals add constraint evals_newest_event_fk
  foreign key (tenant_id, id, event_seq, status)
  references eval_step_events (tenant_id, eval_id, seq, to_status) deferrable initially deferred;
--> statement-breakpoint
alter table trials add constraint trials_output_data_fk
  foreign key (tenant_id, output_data_id) references data (tenant_id, id);
--> statement-breakpoint

-- Guards. A trigger with nothing but a WHEN clause costs next to nothing. ---------------------------

create function refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception using
    errcode = 'SL001',
    message = format('%s refuses this %s', tg_table_name, tg_op),
    detail = tg_argv[0],
    table = tg_table_name,
    constraint = tg_name;
end
$$;
--> statement-breakpoint
create trigger tasks_move_with_event before update on tasks for each row
  when (new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.created_at, new.created_by)
      is distinct from (old.tenant_id, old.id, old.created_at, old.created_by))
  execute function refuse_change('A task changes only together with a new event of its own.');
--> statement-breakpoint
create trigger steps_move_with_event before update on steps for each row
  when (new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.kind, new.attempt)
      is distinct from (old.tenant_id, old.id, old.task_id, old.version_id, old.kind, old.attempt))
  execute function refuse_change('A step changes only together with a new event that names it.');
--> statement-breakpoint
create trigger evals_move_with_event before update on evals for each row
  when (new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.k)
      is distinct from (old.tenant_id, old.id, old.task_id, old.version_id, old.k))
  execute function refuse_change('An eval changes only together with a new event of its own.');
--> statement-breakpoint
create trigger task_versions_immutable before update on task_versions for each row
  when (old.sealed_at is not null
    or (new.sealed_at is not null and new.current_step_id <> old.current_step_id)
    or (new.tenant_id, new.id, new.task_id, new.number, new.content, new.content_hash, new.reason, new.created_by, new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.task_id, old.number, old.content, old.content_hash, old.reason, old.created_by, old.created_at))
  execute function refuse_change('Of a version only the pointer moves, until the version is sealed.');
--> statement-breakpoint
-- A step of a sealed version rests. It takes a look at the version, so it is one look a statement.
create function refuse_sealed_steps() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if exists (
    select from changed c
    join task_versions v on v.tenant_id = c.tenant_id and v.id = c.version_id
    where v.sealed_at is not null
  ) then
    raise exception using
      errcode = 'SL001',
      message = 'steps refuses this UPDATE',
      detail = 'A step of a sealed version does not change.',
      table = 'steps',
      constraint = tg_name;
  end if;
  return null;
end
$$;
--> statement-breakpoint
create trigger steps_sealed after update on steps
  referencing new table as changed for each statement execute function refuse_sealed_steps();
--> statement-breakpoint
do $$
declare
  stream text;
  kept text;
begin
  foreach stream in array array['step_events', 'eval_step_events', 'dispatch_events'] loop
    execute format(
      'create trigger %1$s_append_only before update or delete on %1$I for each row
         execute function refuse_change(''History only grows.'')', stream);
  end loop;
  foreach kept in array array['tasks', 'task_versions', 'steps', 'evals', 'reviews', 'trials', 'insights', 'prompts'] loop
    execute format(
      'create trigger %1$s_kept before delete on %1$I for each row
         execute function refuse_change(''Nothing deletes history.'')', kept);
  end loop;
  foreach kept in array array['step_events', 'eval_step_events', 'dispatch_events', 'tasks', 'task_versions', 'steps', 'evals', 'reviews', 'trials', 'insights', 'prompts'] loop
    execute format(
      'create trigger %1$s_no_truncate before truncate on %1$I for each statement
         execute function refuse_change(''Nothing deletes history.'')', kept);
  end loop;
end
$$;
--> statement-breakpoint

-- Ids and times. --------------------------------------------------------------------------------------

-- UUIDv7 (RFC 9562) for the few rows that the database itself makes; Postgres has its own from 18 on.
create function new_id() returns uuid language sql volatile parallel safe
  return (lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;
--> statement-breakpoint
-- Times as the hash and the answers spell them: UTC, six decimals.
create function iso(moment timestamptz) returns text language sql stable parallel safe
  return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
--> statement-breakpoint

-- The hash chain. ------------------------------------------------------------------------------------

-- The one spelling of an event that its hash is over; writer and verifier both call it.
create function step_event_canonical(
  tenant_id uuid, task_id uuid, seq integer, version_id uuid, step_id uuid, type text,
  from_status text, to_status text, from_gate text, to_gate text,
  actor_id text, actor_name text, actor_kind text, actor_role text,
  reason text, payload text, duplicate_of uuid, run_attached_workflows boolean,
  bulk_operation_id uuid, operation_id uuid, request_id text, registry_version integer, at timestamptz
) returns text language sql stable parallel safe
  return json_build_array('sl1', tenant_id, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, actor_id, actor_name, actor_kind, actor_role,
    reason, payload, duplicate_of, run_attached_workflows, bulk_operation_id, operation_id,
    request_id, registry_version, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;
--> statement-breakpoint
create function chain_link(hash bytea, head bytea, canonical text) returns bytea
  language plpgsql immutable parallel safe as $$
begin
  return sha256(coalesce(hash, head) || convert_to(canonical, 'UTF8'));
end
$$;
--> statement-breakpoint
-- As a window over (task, ordinal): each event's hash, beginning from the task's head.
create aggregate chain_hash(head bytea, canonical text) (sfunc = chain_link, stype = bytea);
--> statement-breakpoint

-- Row security: forced, so that it binds the owner too, who therefore has a policy of its own. --------

do $$
declare
  tenant_table text;
begin
  for tenant_table in
    select c.table_name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and c.column_name = 'tenant_id' and t.table_type = 'BASE TABLE'
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format('alter table %I force row level security', tenant_table);
    execute format(
      'create policy %1$s_of_tenant on %1$I to stepledger_app
         using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)
         with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', tenant_table);
    execute format(
      'create policy %1$s_of_owner on %1$I to stepledger_owner using (true) with check (true)', tenant_table);
  end loop;
end
$$;
--> statement-breakpoint

-- Grants: event tables hold INSERT and SELECT alone; nothing of the lifecycle can be deleted. ---------

grant usage on schema public to stepledger_app;
--> statement-breakpoint
grant usage on sequence feed_id, dispatch_event_position to stepledger_app;
--> statement-breakpoint
grant select, insert on
  tasks, task_versions, steps, step_events, prompts, data, data_inputs, evals, trials, eval_step_events,
  insights, operations, reviews, worker_runs, bulk_operations, bulk_operation_items,
  pipeline_dispatches, dispatch_events, pipelines, webhooks, analytics_events, taxonomy, seed_runs, api_keys
  to stepledger_app;
--> statement-breakpoint
grant select on task_labels to stepledger_app;
--> statement-breakpoint
grant update on
  tasks, steps, evals, trials, data, insights, operations, worker_runs, bulk_operations,
  bulk_operation_items, pipeline_dispatches, pipelines, webhooks, analytics_events, seed_runs
  to stepledger_app;
--> statement-breakpoint
grant update (current_step_id, sealed_at) on task_versions to stepledger_app;
--> statement-breakpoint
grant update (revoked_at, revoked_by) on api_keys to stepledger_app;
--> statement-breakpoint
grant delete on operations, webhooks to stepledger_app;
--> statement-breakpoint
alter table tasks set (fillfactor = 80);
--> statement-breakpoint
alter table steps set (fillfactor = 80);
--> statement-breakpoint
alter table task_labels set (fillfactor = 80);
