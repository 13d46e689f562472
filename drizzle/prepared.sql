-- Made from the statements in src/db by `npm run generate`. Do not edit.
-- Each function is one transaction's work, with the rights of its caller (docs/adr/0028-prepared-statements.md). Left to
-- itself, Postgres plans for a tenant of a large database anew each time, since it knows how large that one is.

create schema if not exists prepared;
grant usage on schema prepared to stepledger_app;

create or replace function prepared.load_task_f6a439c0(
  p_tenant_id uuid,
  p_task_id uuid,
  p_external_id text,
  p_step_id uuid,
  p_run_id uuid,
  p_duplicate_of_id uuid,
  p_duplicate_of_external_id text,
  p_with_steps boolean,
  p_with_held_slots boolean,
  p_operation_id uuid,
  p_actor_id text,
  p_route text,
  p_key text
) returns table (loaded json, matching_ids json, step json, review json, held_slots json, runs json, duplicate_of json, stored json) language plpgsql set plan_cache_mode = force_generic_plan as $prepared$
#variable_conflict use_column
begin
perform set_config('app.tenant_id', p_tenant_id::text, true),
    set_config('lock_timeout', '1000', true);
return query with wanted as materialized (select case when p_external_id is not null
          then (select coalesce((select x.id from tasks x where x.external_id = p_external_id),
    (select x.id from tasks x where x.external_id_key = external_id_key(p_external_id))))
        else coalesce(p_task_id, (select task_id from steps where id = p_step_id),
          (select task_id from worker_runs where id = p_run_id)) end as id)
select (with loaded as materialized (
    select t.id, s.id as step_id, v.id as version_id, json_build_object('id', t.id, 'externalId', t.external_id, 'title', t.title,
    'taxonomyCode', t.taxonomy_code, 'priority', t.priority, 'assignee', t.assignee,
    'archivedAt', iso(t.archived_at), 'duplicateOf', case when s.status = 'duplicate' then (
      select n.duplicate_of from step_events n
      where n.tenant_id = t.tenant_id and n.task_id = t.id and n.step_id = s.id and n.to_status = 'duplicate' and n.from_status is distinct from 'duplicate'
      order by n.seq desc limit 1) end, 'eventSeq', t.event_seq, 'statusSince', iso(t.status_since),
    'createdAt', iso(t.created_at), 'updatedAt', iso(t.updated_at),
    'version', json_build_object('id', v.id, 'number', v.number),
    'step', json_build_object('id', s.id, 'versionId', s.version_id, 'kind', s.kind,
    'attempt', s.attempt, 'status', s.status, 'gate', s.gate,
    'hold', case when s.held_seq is not null
    then json_build_object('seq', s.held_seq, 'gate', s.held_gate) end, 'deferred', coalesce(s.deferred, '[]'), 'idledSeq', s.idled_seq)) as task
    from wanted wanted join tasks t on t.id = wanted.id join task_versions v on v.tenant_id = t.tenant_id and v.id = t.active_version_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  )
  select json_build_object(
    'tasks', coalesce((select json_agg(l.task order by l.id) from loaded l), '[]'),
    'reviews', coalesce((select json_agg(json_build_object('stepId', r.step_id, 'sequence', r.sequence, 'outcome', r.outcome) order by r.sequence) from reviews r where r.step_id = any (array(select step_id from loaded)) and r.withdrawn_seq is null), '[]'),
    'newestReviews', coalesce((select json_agg(json_build_object('taskId', n.task_id, 'sequence', n.sequence) order by n.task_id) from (select task_id, max(sequence) as sequence from reviews where task_id = any (array(select id from loaded)) group by task_id) n), '[]'),
    'runs', coalesce((select json_agg(json_build_object('stepId', w.step_id, 'id', w.id, 'type', w.type, 'state', w.state) order by w.id) from worker_runs w where w.step_id = any (array(select step_id from loaded)) and w.state in ('QUEUED', 'RUNNING')), '[]'),
    'dispatches', coalesce((select json_agg(json_build_object('versionId', d.version_id, 'stepId', d.step_id, 'pipeline', d.pipeline) order by d.id) from pipeline_dispatches d where d.task_id = any (array(select id from loaded)) and case when d.pipeline = 'payment' then d.state <> 'recalled'
  else d.state in ('pending', 'sent') or (d.state = 'delivered' and exists (select from worker_runs q
    where q.tenant_id = d.tenant_id and q.dispatch_id = d.id and q.offered and q.state = 'QUEUED')) end), '[]'),
    'steps', case when p_with_steps::boolean then coalesce((select json_agg(json_build_object('id', o.id, 'versionId', o.version_id, 'kind', o.kind,
    'attempt', o.attempt, 'status', o.status, 'gate', o.gate,
    'hold', case when o.held_seq is not null
    then json_build_object('seq', o.held_seq, 'gate', o.held_gate) end, 'deferred', coalesce(o.deferred, '[]'), 'idledSeq', o.idled_seq) order by o.id) from steps o where o.version_id = any (array(select version_id from loaded))), '[]') else '[]' end,
    'named', case when true::boolean then coalesce((
    select json_agg(json_build_object('taskId', l.id, 'id', n.task_id) order by n.task_id)
    from loaded l, lateral (select e.task_id from step_events e
    join tasks d on d.tenant_id = e.tenant_id and d.id = e.task_id and d.current_step_id = e.step_id
    join steps x on x.tenant_id = d.tenant_id and x.id = d.current_step_id and x.status = 'duplicate'
  where e.duplicate_of = l.id
    and e.seq = (select max(newest.seq) from step_events newest where newest.tenant_id = e.tenant_id
      and newest.task_id = e.task_id and newest.to_status = 'duplicate' and newest.from_status is distinct from 'duplicate')
      order by e.task_id limit 101) n), '[]') else '[]' end)) as loaded, null::json as matching_ids, (select json_build_object('id', x.id, 'versionId', x.version_id, 'kind', x.kind,
    'attempt', x.attempt, 'status', x.status, 'gate', x.gate,
    'hold', case when x.held_seq is not null
    then json_build_object('seq', x.held_seq, 'gate', x.held_gate) end, 'deferred', coalesce(x.deferred, '[]'), 'idledSeq', x.idled_seq) from steps x join wanted on wanted.id = x.task_id where x.id = p_step_id) as step,
  null::json as review, case when p_with_held_slots then (select coalesce(json_agg(json_build_object('person', s.person,
    'leaseUntil', iso(s.lease_until))), '[]')
  from wanted join tasks t on t.id = wanted.id
    join review_slots s on s.tenant_id = t.tenant_id and s.step_id = t.current_step_id
  where (s.slot is not null and s.lease_until > now())) end as held_slots, (select json_agg(json_build_object('id', x.id, 'taskId', x.task_id, 'stepId', x.step_id, 'type', x.type,
    'state', x.state, 'attempt', x.attempt, 'offered', x.offered, 'claimed', x.lease_owner is not null,
    'verdict', x.verdict, 'result', case when x.state not in ('QUEUED', 'RUNNING') then x.result end,
    'error', case when x.state not in ('QUEUED', 'RUNNING') then x.error end,
    'heldBy', case when x.lease_until > now() then x.lease_owner end) order by x.id) from worker_runs x where x.id = p_run_id) as runs, (select json_build_object('id', t.id, 'status', s.status, 'isArchived', t.archived_at is not null)
    from tasks t join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id where t.id = (select coalesce(p_duplicate_of_id, (select coalesce((select x.id from tasks x where x.external_id = p_duplicate_of_external_id),
    (select x.id from tasks x where x.external_id_key = external_id_key(p_duplicate_of_external_id))))))) as duplicate_of, (select row_to_json(o) from (select id, fingerprint, result from operations
    where id = p_operation_id or (actor_id = p_actor_id and route = p_route and key = p_key
      and expires_at > now())) o) as stored;
end $prepared$;
revoke execute on function prepared.load_task_f6a439c0 from public;
grant execute on function prepared.load_task_f6a439c0 to stepledger_app;

create or replace function prepared.begin_dispatch_617417cc(
  p_tenant_id uuid,
  p_dispatch_id uuid,
  p_owner uuid,
  p_run_id uuid
) returns table (outcome text, "hasDeliveries" boolean, seconds integer, delivery json) language plpgsql set plan_cache_mode = force_generic_plan as $prepared$
#variable_conflict use_column
begin
perform set_config('app.tenant_id', p_tenant_id::text, true),
    set_config('lock_timeout', '1000', true);
perform from tasks t
    where t.tenant_id = p_tenant_id::uuid and t.id = (select d.task_id from pipeline_dispatches d
      where d.tenant_id = p_tenant_id::uuid and d.id = p_dispatch_id::uuid)
    for no key update of t;
update worker_runs r set dispatch_id = null, updated_at = greatest((select writer_clock()), r.updated_at)
    where r.tenant_id = p_tenant_id::uuid and r.dispatch_id = p_dispatch_id::uuid and r.state = 'FAILED'
      and exists (
        select from pipeline_dispatches d join tasks t on t.tenant_id = d.tenant_id and t.id = d.task_id
  join steps ds on ds.tenant_id = d.tenant_id and ds.id = d.step_id
  join steps cs on cs.tenant_id = t.tenant_id and cs.id = t.current_step_id
  left join pipelines p on p.tenant_id = d.tenant_id and p.name = d.pipeline
  left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id
        where d.tenant_id = r.tenant_id and d.id = r.dispatch_id and d.state in ('pending', 'sent')
          and not (coalesce(d.lease_until > clock_timestamp(), false) or coalesce(d.not_before > clock_timestamp(), false)) and coalesce(w.state = 'FAILED' and w.error = 'timed_out', false) and (d.pipeline, ds.kind, ds.status) in (('quality_automation', 'pre_qa', 'queued'), ('output_generation', 'output_generation', 'queued'), ('post_qa_scoring', 'calibration', 'queued'), ('payment', 'expert_review', 'approved')) and not case when d.pipeline = 'payment'
  then not (d.pipeline, ds.kind, ds.status) in (('quality_automation', 'pre_qa', 'queued'), ('output_generation', 'output_generation', 'queued'), ('post_qa_scoring', 'calibration', 'queued'), ('payment', 'expert_review', 'approved')) or cs.version_id = d.version_id and cs.status in ('changes_requested', 'rejected', 'duplicate')
  else cs.id <> d.step_id or cs.status in ('rejected', 'duplicate') end
        offset 0);
return query with
found as materialized (
  select d.*, coalesce(d.lease_owner = p_owner::uuid, false) as is_again, w.id as run_id, p.endpoint,
    coalesce(p.timeout_seconds, 10) as timeout_seconds, make_interval(secs => coalesce(
    (select p.run_deadline_seconds from pipelines p where p.name = lower(d.pipeline)), 3600)) as allowance,
    json_build_object('sealed', coalesce((
      select json_agg(json_build_object('id', s.id, 'sealed', s.sealed) order by s.signs_until desc nulls first, s.id desc)
      from signing_secrets s
      where s.tenant_id = p.tenant_id and s.kind = 'pipeline' and s.name = p.name
        and (s.signs_until is null or s.signs_until > now())), '[]'),
    'plain', array_remove(array[encode(nullif(p.secret, ''), 'hex'),
      case when p.previous_secret_until > now() then encode(p.previous_secret, 'hex') end], null)) as secrets,
    case
    when d.state not in ('pending', 'sent') then 'settled'
    when d.lease_owner = p_owner::uuid then 'begun'
    when (coalesce(d.lease_until > clock_timestamp(), false) or coalesce(d.not_before > clock_timestamp(), false)) then 'later'
    when w.state in ('RUNNING', 'SUCCEEDED') or w.state = 'FAILED' and not coalesce(w.state = 'FAILED' and w.error = 'timed_out', false) then 'taken'
    when w.state = 'CANCELLED' or case when d.pipeline = 'payment'
  then not (d.pipeline, ds.kind, ds.status) in (('quality_automation', 'pre_qa', 'queued'), ('output_generation', 'output_generation', 'queued'), ('post_qa_scoring', 'calibration', 'queued'), ('payment', 'expert_review', 'approved')) or cs.version_id = d.version_id and cs.status in ('changes_requested', 'rejected', 'duplicate')
  else cs.id <> d.step_id or cs.status in ('rejected', 'duplicate') end then 'unwanted'
    when w.state = 'FAILED' then 'late'
    when p.endpoint is null then 'offered'
    else 'begun' end as outcome
  from pipeline_dispatches d join tasks t on t.tenant_id = d.tenant_id and t.id = d.task_id
  join steps ds on ds.tenant_id = d.tenant_id and ds.id = d.step_id
  join steps cs on cs.tenant_id = t.tenant_id and cs.id = t.current_step_id
  left join pipelines p on p.tenant_id = d.tenant_id and p.name = d.pipeline
  left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id
  where d.tenant_id = p_tenant_id::uuid and d.id = p_dispatch_id::uuid
  for no key update of d
),
becomes as materialized (
  select f.*, b.to_state, b.reason
  from found f join (values
    ('begun', 'sent', null),
    ('offered', 'delivered', 'The pipeline has no endpoint. The run waits for a worker that polls.'),
    ('taken', 'delivered', 'A worker reported on the run.'),
    ('unwanted', 'recalled', 'The dispatch is no longer wanted.'),
    ('late', 'dead', 'run_timed_out')
  ) b(outcome, to_state, reason) using (outcome)
),
changed as (
  update pipeline_dispatches d set state = b.to_state, updated_at = greatest((select writer_clock()), d.updated_at),
    attempts = d.attempts + case when b.outcome = 'begun' and not b.is_again then 1 else 0 end,
    lease_owner = case when b.outcome = 'begun' then p_owner::uuid end,
    lease_until = case when b.outcome = 'begun'
      then clock_timestamp() + make_interval(secs => b.timeout_seconds + 30) end,
    not_before = null,
    next_attempt_at = clock_timestamp() + interval '15 minutes',
    dead_reason = case b.to_state when 'dead' then b.reason end,
    last_error = case b.to_state when 'dead' then b.reason || coalesce(': ' || d.last_error, '') else d.last_error end
  from becomes b where d.tenant_id = p_tenant_id::uuid and d.id = b.id
  returning d.attempts
),
logged as (
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason,
    operation_id, at)
  select p_tenant_id::uuid, new_id(), id, from_state, to_state, 'system'::text, 'Delivery'::text,
    reason::text, null::uuid, greatest(coalesce(change.since, (select writer_clock())), (select l.at from dispatch_events l
      where l.tenant_id = p_tenant_id::uuid and l.dispatch_id = change.id order by l.position desc limit 1))
  from (
    select id, state as from_state, 'sent' as to_state, null::timestamptz as since, null as reason, 1 as ordinal
      from becomes
      where state = 'pending' and to_state in ('sent', 'delivered')
    union all
    select id, case to_state when 'delivered' then 'sent' else state end, to_state, null, reason, 2 from becomes
      where to_state <> 'sent') change order by ordinal
  returning id, dispatch_id, to_state, reason, at
),
notified as (
  insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data)
  select w.tenant_id, new_id(), w.id, w.name, 'dispatch.dead'::text, change.source::text, change.data::text
  from (
    select l.id as source, json_build_object('dispatchId', d.id, 'pipeline', d.pipeline, 'taskId', d.task_id,
      'reason', l.reason, 'at', iso(l.at)) as data
    from logged l join pipeline_dispatches d on d.tenant_id = p_tenant_id::uuid and d.id = l.dispatch_id
    where l.to_state = 'dead') change cross join webhooks w
  where w.tenant_id = p_tenant_id::uuid and (w.enabled or w.gone_at is not null) and w.events @> array['dispatch.dead'::text]
  on conflict do nothing
  returning id
),
opened as (
  insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
    deadline_at, created_by)
  select p_tenant_id::uuid, p_run_id::uuid, task_id, version_id, step_id, case pipeline when 'quality_automation' then 'QUALITY_AUTOMATION' when 'output_generation' then 'OUTPUT_GENERATION' when 'post_qa_scoring' then 'POST_QA_SCORING' when 'payment' then 'PAYMENT' end, 'QUEUED', id,
    outcome = 'offered', clock_timestamp() + allowance, 'system'
  from becomes where outcome in ('begun', 'offered') and run_id is null
  returning id, type, attempt, deadline_at
),
-- The deadline counts from the latest attempt. An unwanted run is cancelled.
kept as (
  update worker_runs w set updated_at = greatest((select writer_clock()), w.updated_at), offered = b.outcome = 'offered',
    state = case b.outcome when 'unwanted' then 'CANCELLED' else w.state end,
    deadline_at = case b.outcome when 'unwanted' then w.deadline_at else clock_timestamp() + b.allowance end
  from becomes b
  where w.tenant_id = p_tenant_id::uuid and w.id = b.run_id and w.state = 'QUEUED'
    and b.outcome in ('begun', 'offered', 'unwanted')
  returning w.id, w.type, w.attempt, w.deadline_at
),
run as (select * from opened union all select * from kept)
select f.outcome, exists (select from notified) as "hasDeliveries", greatest(1, ceil(extract(epoch from
    greatest(f.lease_until, f.not_before) - clock_timestamp())))::integer as seconds,
  (select json_build_object('endpoint', f.endpoint, 'secrets', f.secrets, 'timeoutSeconds', f.timeout_seconds,
      'attempt', (select attempts from changed), 'pipeline', f.pipeline,
      'run', (select json_build_object('id', id, 'type', type, 'attempt', attempt, 'deadlineAt', iso(deadline_at))
        from run),
      'task', json_build_object('id', t.id, 'externalId', t.external_id, 'title', t.title,
    'taxonomyCode', t.taxonomy_code, 'priority', t.priority, 'assignee', t.assignee,
    'archivedAt', iso(t.archived_at), 'duplicateOf', case when s.status = 'duplicate' then (
      select n.duplicate_of from step_events n
      where n.tenant_id = t.tenant_id and n.task_id = t.id and n.step_id = s.id and n.to_status = 'duplicate' and n.from_status is distinct from 'duplicate'
      order by n.seq desc limit 1) end, 'eventSeq', t.event_seq, 'statusSince', iso(t.status_since),
    'createdAt', iso(t.created_at), 'updatedAt', iso(t.updated_at),
    'version', json_build_object('id', v.id, 'number', v.number),
    'step', json_build_object('id', s.id, 'versionId', s.version_id, 'kind', s.kind,
    'attempt', s.attempt, 'status', s.status, 'gate', s.gate,
    'hold', case when s.held_seq is not null
    then json_build_object('seq', s.held_seq, 'gate', s.held_gate) end, 'deferred', coalesce(s.deferred, '[]'), 'idledSeq', s.idled_seq),
    'reviews', coalesce((select json_agg(json_build_object('sequence', r.sequence, 'outcome', r.outcome)
      order by r.sequence) from reviews r where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
        and r.withdrawn_seq is null), '[]'),
    'openRuns', coalesce((select json_agg(json_build_object('id', w.id, 'type', w.type, 'state', w.state)
      order by w.id) from worker_runs w where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id
        and w.state in ('QUEUED', 'RUNNING')), '[]')),
      'version', json_build_object('id', dv.id, 'number', dv.number, 'contentHash', dv.content_hash),
      'step', json_build_object('id', ds.id, 'versionId', ds.version_id, 'kind', ds.kind,
    'attempt', ds.attempt, 'status', ds.status, 'gate', ds.gate,
    'hold', case when ds.held_seq is not null
    then json_build_object('seq', ds.held_seq, 'gate', ds.held_gate) end, 'deferred', coalesce(ds.deferred, '[]'), 'idledSeq', ds.idled_seq))
    from tasks t join task_versions v on v.tenant_id = t.tenant_id and v.id = t.active_version_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
      join task_versions dv on dv.tenant_id = t.tenant_id and dv.id = f.version_id
      join steps ds on ds.tenant_id = t.tenant_id and ds.id = f.step_id
    where f.outcome = 'begun' and t.tenant_id = p_tenant_id::uuid and t.id = f.task_id) as delivery
from found f;
set constraints all immediate;
end $prepared$;
revoke execute on function prepared.begin_dispatch_617417cc from public;
grant execute on function prepared.begin_dispatch_617417cc to stepledger_app;

create or replace function prepared.record_creation_4d7d8c06(
  p_tenant_id uuid,
  p_operation_id uuid,
  p_ledger_actor text,
  p_route text,
  p_key text,
  p_fingerprint text,
  p_actor_id text,
  p_actor_name text,
  p_actor_kind text,
  p_actor_role text,
  p_request_id text,
  p_registry_version integer,
  p_answer json,
  p_is_kept_if_empty boolean,
  p_tasks json,
  p_events json,
  p_versions json,
  p_steps json,
  p_dispatches json
) returns table (events json, dispatched json, existing json, "hasListeners" boolean) language plpgsql set plan_cache_mode = force_generic_plan as $prepared$
#variable_conflict use_column
begin
perform set_config('app.tenant_id', p_tenant_id::text, true),
    set_config('lock_timeout', '1000', true);
if p_key is not null then delete from operations
    where actor_id = p_ledger_actor and route = p_route and key = p_key and expires_at <= now(); end if;
insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
    values (p_tenant_id, p_operation_id, p_ledger_actor, p_route, p_key, p_fingerprint);
return query with
draft as materialized (
  select * from json_to_recordset(p_tasks) as a(id uuid, external_id text, title text, taxonomy_code text,
    priority smallint, assignee text, step_id uuid, version_id uuid, planned_at timestamptz, seed_run_id uuid)
),
event as materialized (
  select e.*, e.ordinal as seq, decode(repeat('00', 32), 'hex') as event_head, case when a.planned_at is not null and (select exists (select from simulated_clocks)) then a.planned_at else (select writer_clock()) end as at
  from json_to_recordset(p_events) as e(
      task_id uuid, ordinal integer, version_id uuid, step_id uuid, type text,
      from_status text, to_status text, from_gate text, to_gate text,
      reason text, payload text, duplicate_of uuid, run_attached_workflows boolean) join draft a on a.id = e.task_id
),
spelled as materialized (
  select *, step_event_canonical(p_tenant_id::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, p_actor_id::text, p_actor_name::text, p_actor_kind::text, p_actor_role::text,
    reason, payload, duplicate_of, run_attached_workflows, null::uuid,
    p_operation_id::uuid, p_request_id::text, p_registry_version::integer, at) as canonical
  from event
),
linked as materialized (
  select *, chain_hash(event_head, canonical)
    over (partition by task_id order by ordinal rows unbounded preceding) as hash
  from spelled
),
chained as materialized (
  select *, coalesce(lag(hash) over (partition by task_id order by ordinal), event_head) as prev_hash
  from linked
),
created as (
  insert into tasks (tenant_id, id, external_id, title, taxonomy_code, priority, assignee,
    current_step_id, active_version_id, event_seq, event_head, status_since, created_by, created_at, updated_at,
    seed_run_id)
  select p_tenant_id::uuid, a.id, a.external_id, a.title, a.taxonomy_code, a.priority, a.assignee,
    a.step_id, a.version_id, c.seq, c.hash, c.at, p_actor_id::text, c.at, c.at, a.seed_run_id
  from draft a join chained c on c.task_id = a.id
  -- Concurrent calls wait for each other's keys in the same order. Of equal keys, the first row of the call wins.
  order by external_id_key(a.external_id), a.id
  -- On either unique index of external ids.
  on conflict do nothing
  returning id
),
written as (
  insert into step_events (tenant_id, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows, bulk_operation_id,
    actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select p_tenant_id::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows,
    null::uuid, p_actor_id::text, p_actor_name::text, p_actor_kind::text, p_actor_role::text, reason, payload,
    p_operation_id::uuid, p_request_id::text, p_registry_version::integer, at, prev_hash, hash
  from chained join created on created.id = task_id order by task_id, seq
  returning task_id, seq, version_id, step_id, type, from_status, to_status, to_gate, at, hash
),
opened_versions as (
  insert into task_versions
    (tenant_id, id, task_id, number, content, content_hash, current_step_id, reason, created_by, created_at)
  select p_tenant_id::uuid, v.id, v.task_id, v.number, v.content, v.content_hash, n.step_id, v.reason,
    p_actor_id::text, n.at
  from json_to_recordset(p_versions) as v(
      id uuid, task_id uuid, number integer, content jsonb, content_hash text, reason text)
    join written n on n.version_id = v.id
),
opened_steps as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq, created_at)
  select p_tenant_id::uuid, s.id, n.task_id, n.version_id, s.kind, s.attempt, n.to_status, n.to_gate, n.seq, n.at
  from json_to_recordset(p_steps) as s(id uuid, kind text, attempt integer)
    join written n on n.step_id = s.id
),
dispatched as (
  insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq, created_at,
    updated_at)
  select p_tenant_id::uuid, d.id, d.pipeline, d.task_id, d.version_id, d.step_id, w.seq, w.at, w.at
  from json_to_recordset(p_dispatches) as d(
      id uuid, pipeline text, task_id uuid, version_id uuid, step_id uuid)
    join written w using (task_id)
  returning id, pipeline, task_id, created_at
),
dispatch_log as (
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason,
    operation_id, at)
  select p_tenant_id::uuid, new_id(), id, from_state, to_state, p_actor_id::text, p_actor_name::text,
    null::text, p_operation_id::uuid, greatest(coalesce(change.since, (select writer_clock())), (select l.at from dispatch_events l
      where l.tenant_id = p_tenant_id::uuid and l.dispatch_id = change.id order by l.position desc limit 1))
  from (select id, null as from_state, 'pending' as to_state, created_at as since from dispatched) change
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at),
      'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')))
      from written w join chained c using (task_id, seq)), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id))
      from dispatched), '[]') as dispatched,
    (
    select coalesce(json_agg(json_build_object('externalId', r.external_id, 'id', r.task_id, 'differences',
      coalesce(field.differences, '[]'))), '[]')
    -- OFFSET makes Postgres go from the records to their tasks. Without statistics, it would try all tasks of the tenant.
    from (select given.*, (select coalesce((select x.id from tasks x where x.external_id = given.external_id),
    (select x.id from tasks x where x.external_id_key = external_id_key(given.external_id)))) as task_id from (
        select a.external_id, a.title, a.taxonomy_code, v.content
        from draft a join json_to_recordset(p_versions) as v(task_id uuid, content jsonb) on v.task_id = a.id
        where a.external_id is not null
      ) given offset 0) r
      cross join lateral (
        select t.title, t.taxonomy_code, e.payload, first.content as first, active.content as active
        from tasks t
          join step_events e on e.tenant_id = t.tenant_id and e.task_id = t.id and e.seq = 1
          join task_versions first on first.tenant_id = t.tenant_id and first.task_id = t.id and first.number = 1
          join task_versions active on active.tenant_id = t.tenant_id and active.id = t.active_version_id
        where t.tenant_id = p_tenant_id::uuid and t.id = r.task_id
        offset 0
      ) t
      cross join lateral (
        select json_agg(json_build_object('path', f.path, 'existing', left(f.present, 200),
          'given', left(f.given, 200))) as differences
        from (values
          ('["title"]'::json, r.title, t.payload::json ->> 'title', t.title),
          ('["taxonomyCode"]', r.taxonomy_code, t.payload::json ->> 'taxonomyCode', t.taxonomy_code),
          ('["content","brief"]', r.content ->> 'brief', t.first ->> 'brief', t.active ->> 'brief'),
          ('["content","instructions"]', r.content ->> 'instructions', t.first ->> 'instructions',
            t.active ->> 'instructions'),
          ('["content","metadata"]', coalesce(r.content -> 'metadata', '{}')::text,
            coalesce(t.first -> 'metadata', '{}')::text, coalesce(t.active -> 'metadata', '{}')::text)
        ) as f(path, given, created, present)
        where f.given is distinct from f.created and f.given is distinct from f.present
      ) field
  ) as existing,
    (select count(*) from written) as tasks
),
stored as (
  update operations o set result = json_build_object('answer', p_answer::json, 'events', outcome.events,
    'dispatched', outcome.dispatched, 'existing', outcome.existing)
  from outcome
  where o.tenant_id = p_tenant_id::uuid and o.id = p_operation_id::uuid
    and (outcome.tasks > 0 or p_is_kept_if_empty::boolean)
),
dropped as (
  delete from operations o using outcome
  where o.tenant_id = p_tenant_id::uuid and o.id = p_operation_id::uuid
    and outcome.tasks = 0 and not p_is_kept_if_empty::boolean
)
select events, dispatched, existing, exists (select from webhooks w where w.tenant_id = p_tenant_id::uuid and (w.enabled and w.events && '{task.label_changed,task.attention}'::text[])) as "hasListeners" from outcome;
set constraints all immediate;
end $prepared$;
revoke execute on function prepared.record_creation_4d7d8c06 from public;
grant execute on function prepared.record_creation_4d7d8c06 to stepledger_app;

create or replace function prepared.record_plain_moves_9526f267(
  p_tenant_id uuid,
  p_operation_id uuid,
  p_ledger_actor text,
  p_route text,
  p_key text,
  p_fingerprint text,
  p_actor_id text,
  p_actor_name text,
  p_actor_kind text,
  p_actor_role text,
  p_request_id text,
  p_registry_version integer,
  p_answer json,
  p_is_kept_if_empty boolean,
  p_moves json,
  p_events json
) returns table (events json, dispatched json, "hasListeners" boolean) language plpgsql set plan_cache_mode = force_generic_plan as $prepared$
#variable_conflict use_column
begin
perform set_config('app.tenant_id', p_tenant_id::text, true),
    set_config('lock_timeout', '1000', true);
if p_key is not null then delete from operations
    where actor_id = p_ledger_actor and route = p_route and key = p_key and expires_at <= now(); end if;
insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
    values (p_tenant_id, p_operation_id, p_ledger_actor, p_route, p_key, p_fingerprint);
return query with
move as materialized (
  select * from json_to_recordset(p_moves) as m(
    task_id uuid, seq integer, step_id uuid, version_id uuid, is_silent boolean, fields json, archive boolean,
    planned_at timestamptz
    
    )
  
),
-- In id order, and task rows alone: nothing of a task changes without its event_seq, so what was planned
-- about its step still holds; a join with the step could lose the row when a rival moves the pointer.
locked as materialized (
  select t.id, t.event_seq, t.event_head, t.updated_at, m.planned_at
  from move m join tasks t on t.id = m.task_id
  -- As a CASE, since Postgres would take an equal seq for a rare thing, and plan all that follows for a row or two: it
  -- would compare each of a thousand moves with each other.
  where t.tenant_id = p_tenant_id::uuid and case when t.event_seq = m.seq then true else false end
    
    
    
    
  order by t.id
  for no key update of t
),
event as materialized (
  select l.event_head, l.event_seq + e.ordinal as seq,
    greatest(case when l.planned_at is not null and (select exists (select from simulated_clocks)) then l.planned_at else (select writer_clock()) end, l.updated_at) as at, e.*
  from json_to_recordset(p_events) as e(
      task_id uuid, ordinal integer, version_id uuid, step_id uuid, type text,
      from_status text, to_status text, from_gate text, to_gate text,
      reason text, payload text, duplicate_of uuid, run_attached_workflows boolean)
    join locked l on l.id = e.task_id
),
spelled as materialized (
  select *, step_event_canonical(p_tenant_id::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, p_actor_id::text, p_actor_name::text, p_actor_kind::text, p_actor_role::text,
    reason, payload, duplicate_of, run_attached_workflows, null::uuid,
    p_operation_id::uuid, p_request_id::text, p_registry_version::integer, at) as canonical
  from event
),
chained as materialized (
  select *, chain_link(null, event_head, canonical) as hash, event_head as prev_hash from spelled
),
written as (
  insert into step_events (tenant_id, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows, bulk_operation_id,
    actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select p_tenant_id::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows,
    null::uuid, p_actor_id::text, p_actor_name::text, p_actor_kind::text, p_actor_role::text, reason, payload,
    p_operation_id::uuid, p_request_id::text, p_registry_version::integer, at, prev_hash, hash
  from chained order by task_id, seq
  returning task_id, seq, version_id, step_id, type, from_status, to_status, to_gate, at, hash
),
newest as materialized (
  select *, from_status is distinct from to_status as is_status_changed from written
),
newest_of_step as (select *, (from_status is distinct from to_status or type = 'worker_run_changed') as ends_idling from newest),
-- Where the tasks stand now. Those that are changed without an event are where they were.
reached as materialized (
  select task_id, seq, step_id, at, false as is_silent from newest
  
),


moved_steps as (
  update steps s set status = n.to_status, gate = n.to_gate, event_seq = n.seq,
    idled_seq = case when n.type = 'step_idled' then n.seq when n.ends_idling then null else s.idled_seq end
    
  from newest_of_step n 
  where s.tenant_id = p_tenant_id::uuid and s.id = n.step_id
),

moved_tasks as (
  update tasks t set
    current_step_id = n.step_id,
    active_version_id = n.version_id,
    event_seq = n.seq,
    event_head = n.hash,
    updated_at = n.at,
    status_since = case when n.is_status_changed then n.at else t.status_since end
    
  from newest n 
  where t.tenant_id = p_tenant_id::uuid and t.id = n.task_id
),



undone as (select null::text as state, null::boolean as is_leased where false),
recallable as (
  select null::uuid as id, null::uuid as task_id, null::text as state, null::timestamptz as at where false
),
recalled as (select null::uuid as task_id where false),

dispatched as (
  select null::uuid as id, null::text as pipeline, null::uuid as task_id, null::timestamptz as created_at where false
),

effect as materialized (
  select task_id, seq, step_id from newest
  
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at)
      , 'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')) order by c.task_id, c.seq)
      from chained c), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id)
      order by task_id) from dispatched), '[]') as dispatched,
    
    (select count(*) from effect) as tasks
),
stored as (
  update operations o set result = json_build_object('answer', p_answer::json, 'events', outcome.events, 'dispatched', outcome.dispatched
      )
  from outcome
  where o.tenant_id = p_tenant_id::uuid and o.id = p_operation_id::uuid
    and (outcome.tasks > 0 or p_is_kept_if_empty::boolean)
),
dropped as (
  delete from operations o using outcome
  where o.tenant_id = p_tenant_id::uuid and o.id = p_operation_id::uuid
    and outcome.tasks = 0 and not p_is_kept_if_empty::boolean
)
select events, dispatched, exists (select from webhooks w where w.tenant_id = p_tenant_id::uuid and (w.enabled and w.events && '{task.label_changed,task.attention}'::text[])) as "hasListeners" from outcome;
set constraints all immediate;
end $prepared$;
revoke execute on function prepared.record_plain_moves_9526f267 from public;
grant execute on function prepared.record_plain_moves_9526f267 to stepledger_app;

create or replace function prepared.record_moves_4b0877d5(
  p_tenant_id uuid,
  p_operation_id uuid,
  p_ledger_actor text,
  p_route text,
  p_key text,
  p_fingerprint text,
  p_actor_id text,
  p_actor_name text,
  p_actor_kind text,
  p_actor_role text,
  p_request_id text,
  p_registry_version integer,
  p_answer json,
  p_is_kept_if_empty boolean,
  p_moves json,
  p_events json,
  p_versions json,
  p_steps json,
  p_holds json,
  p_reviews json,
  p_withdrawals json,
  p_found_runs json,
  p_claimants json,
  p_runs json,
  p_recalls json,
  p_undone json,
  p_dispatches json
) returns table (events json, dispatched json, undone json, "hasListeners" boolean) language plpgsql set plan_cache_mode = force_generic_plan as $prepared$
#variable_conflict use_column
begin
perform set_config('app.tenant_id', p_tenant_id::text, true),
    set_config('lock_timeout', '1000', true);
if p_key is not null then delete from operations
    where actor_id = p_ledger_actor and route = p_route and key = p_key and expires_at <= now(); end if;
insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
    values (p_tenant_id, p_operation_id, p_ledger_actor, p_route, p_key, p_fingerprint);
perform from tasks t
    where t.tenant_id = p_tenant_id::uuid
      and t.id in (select task_id from json_to_recordset(p_moves) as m(task_id uuid)
        union all select duplicate_of from json_to_recordset(p_moves) as m(duplicate_of uuid))
    order by t.id for no key update of t;
perform from worker_runs w
    where w.tenant_id = p_tenant_id::uuid
      and w.id in (select id from json_to_recordset(p_found_runs) as f(id uuid))
    order by w.id for no key update of w;
return query with
move as materialized (
  select * from json_to_recordset(p_moves) as m(
    task_id uuid, seq integer, step_id uuid, version_id uuid, is_silent boolean, fields json, archive boolean,
    planned_at timestamptz
    , marks_duplicate boolean, duplicate_of uuid
    , needs_no_run boolean)
  
),
-- In id order, and task rows alone: nothing of a task changes without its event_seq, so what was planned
-- about its step still holds; a join with the step could lose the row when a rival moves the pointer.
locked as materialized (
  select t.id, t.event_seq, t.event_head, t.updated_at, m.planned_at
  from move m join tasks t on t.id = m.task_id
  -- As a CASE, since Postgres would take an equal seq for a rare thing, and plan all that follows for a row or two: it
  -- would compare each of a thousand moves with each other.
  where t.tenant_id = p_tenant_id::uuid and case when t.event_seq = m.seq then true else false end
    and t.id not in (
    select f.task_id
    from json_to_recordset(p_found_runs) as f(
        task_id uuid, id uuid, state text, attempt integer, is_overdue boolean)
      left join worker_runs w on w.tenant_id = p_tenant_id::uuid and w.id = f.id and w.state = f.state and w.attempt = f.attempt
  and (not f.is_overdue or w.deadline_at < now())
    where w.id is null)
    and not exists (
    select from json_to_recordset(p_claimants) as c(task_id uuid, step_id uuid, person text)
      join review_slots s on s.tenant_id = p_tenant_id::uuid and s.step_id = c.step_id
    where c.task_id = t.id and s.person <> c.person and (s.slot is not null and s.lease_until > now()))
    and case when m.marks_duplicate then
      (select e.task_id from step_events e
    join tasks d on d.tenant_id = e.tenant_id and d.id = e.task_id and d.current_step_id = e.step_id
    join steps x on x.tenant_id = d.tenant_id and x.id = d.current_step_id and x.status = 'duplicate'
  where e.duplicate_of = t.id
    and e.seq = (select max(newest.seq) from step_events newest where newest.tenant_id = e.tenant_id
      and newest.task_id = e.task_id and newest.to_status = 'duplicate' and newest.from_status is distinct from 'duplicate') and e.tenant_id = p_tenant_id::uuid limit 1) is null
      and (m.duplicate_of is null or coalesce((
        select o.archived_at is null and x.status not in ('duplicate', 'rejected')
        from tasks o join steps x on x.tenant_id = o.tenant_id and x.id = o.current_step_id
        where o.tenant_id = p_tenant_id::uuid and o.id = m.duplicate_of), false))
    else true end
    and not (m.needs_no_run is true and exists (select from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = m.step_id and w.state in ('QUEUED', 'RUNNING')))
  order by t.id
  for no key update of t
),
event as materialized (
  select l.event_head, l.event_seq + e.ordinal as seq,
    greatest(case when l.planned_at is not null and (select exists (select from simulated_clocks)) then l.planned_at else (select writer_clock()) end, l.updated_at) as at, e.*
  from json_to_recordset(p_events) as e(
      task_id uuid, ordinal integer, version_id uuid, step_id uuid, type text,
      from_status text, to_status text, from_gate text, to_gate text,
      reason text, payload text, duplicate_of uuid, run_attached_workflows boolean)
    join locked l on l.id = e.task_id
),
spelled as materialized (
  select *, step_event_canonical(p_tenant_id::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, p_actor_id::text, p_actor_name::text, p_actor_kind::text, p_actor_role::text,
    reason, payload, duplicate_of, run_attached_workflows, null::uuid,
    p_operation_id::uuid, p_request_id::text, p_registry_version::integer, at) as canonical
  from event
),
linked as materialized (
  select *, chain_hash(event_head, canonical)
    over (partition by task_id order by ordinal rows unbounded preceding) as hash
  from spelled
),
chained as materialized (
  select *, coalesce(lag(hash) over (partition by task_id order by ordinal), event_head) as prev_hash
  from linked
),
written as (
  insert into step_events (tenant_id, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows, bulk_operation_id,
    actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select p_tenant_id::uuid, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, duplicate_of, run_attached_workflows,
    null::uuid, p_actor_id::text, p_actor_name::text, p_actor_kind::text, p_actor_role::text, reason, payload,
    p_operation_id::uuid, p_request_id::text, p_registry_version::integer, at, prev_hash, hash
  from chained order by task_id, seq
  returning task_id, seq, version_id, step_id, type, from_status, to_status, to_gate, at, hash
),
newest as materialized (
  select distinct on (task_id) *,
    bool_or(from_status is distinct from to_status) over (partition by task_id, step_id) as is_status_changed
  from written order by task_id, seq desc
),
newest_of_step as materialized (
  select distinct on (step_id) *, bool_or((from_status is distinct from to_status or type = 'worker_run_changed')) over (partition by step_id) as ends_idling
  from written order by step_id, seq desc
),
-- Where the tasks stand now. Those that are changed without an event are where they were.
reached as materialized (
  select task_id, seq, step_id, at, false as is_silent from newest
  union all
  select l.id, l.event_seq, null, greatest(case when l.planned_at is not null and (select exists (select from simulated_clocks)) then l.planned_at else (select writer_clock()) end, l.updated_at), true
  from locked l join move m on m.task_id = l.id where m.is_silent
),
opened_versions as (
  insert into task_versions
    (tenant_id, id, task_id, number, content, content_hash, current_step_id, reason, created_by, created_at)
  select p_tenant_id::uuid, v.id, v.task_id, v.number, v.content, v.content_hash, n.step_id, v.reason,
    p_actor_id::text, n.at
  from json_to_recordset(p_versions) as v(
      id uuid, task_id uuid, number integer, content jsonb, content_hash text, reason text)
    join newest n on n.version_id = v.id
),
opened_steps as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq, created_at)
  select p_tenant_id::uuid, s.id, n.task_id, n.version_id, s.kind, s.attempt, n.to_status, n.to_gate, n.seq, n.at
  from json_to_recordset(p_steps) as s(id uuid, kind text, attempt integer)
    join newest_of_step n on n.step_id = s.id
),
moved_steps as (
  update steps s set status = n.to_status, gate = n.to_gate, event_seq = n.seq,
    idled_seq = case when n.type = 'step_idled' then n.seq when n.ends_idling then null else s.idled_seq end
    ,
    held_seq = case when h.step_id is null then s.held_seq else h.held_seq end,
    held_gate = case when h.step_id is null then s.held_gate else h.held_gate end,
    deferred = case when h.step_id is null then s.deferred else h.deferred end
  from newest_of_step n left join json_to_recordset(p_holds) as h(
      step_id uuid, held_seq integer, held_gate text, deferred jsonb) on h.step_id = n.step_id
  where s.tenant_id = p_tenant_id::uuid and s.id = n.step_id
),
sealed_versions as (
  update task_versions v set sealed_at = n.at
  from newest n join move m using (task_id)
  where v.tenant_id = p_tenant_id::uuid and v.id = m.version_id and n.version_id <> m.version_id
),
moved_versions as (
  update task_versions v set current_step_id = n.step_id
  from newest n join move m using (task_id)
  where v.tenant_id = p_tenant_id::uuid and v.id = m.version_id and n.version_id = m.version_id
    and n.step_id <> m.step_id
),
moved_tasks as (
  update tasks t set
    current_step_id = n.step_id,
    active_version_id = n.version_id,
    event_seq = n.seq,
    event_head = n.hash,
    updated_at = n.at,
    status_since = case when n.is_status_changed then n.at else t.status_since end
    ,
    title = case when m.fields is null then t.title else m.fields ->> 'title' end,
    external_id = case when m.fields is null then t.external_id else m.fields ->> 'externalId' end,
    taxonomy_code = case when m.fields is null then t.taxonomy_code else m.fields ->> 'taxonomyCode' end,
    priority = case when m.fields is null then t.priority else (m.fields ->> 'priority')::smallint end,
    assignee = case when m.fields is null then t.assignee else m.fields ->> 'assignee' end,
    archived_at = case when m.archive is null then t.archived_at when m.archive then n.at end
  from newest n join move m using (task_id)
  where t.tenant_id = p_tenant_id::uuid and t.id = n.task_id
),
reviewed as (
  insert into reviews (tenant_id, id, task_id, version_id, step_id, kind, outcome, sequence, notes,
    reviewer_id, reviewer_name, created_at)
  select p_tenant_id::uuid, r.id, r.task_id, r.version_id, r.step_id, r.kind, r.outcome, r.sequence, r.notes,
    p_actor_id::text, p_actor_name::text, n.at
  from json_to_recordset(p_reviews) as r(
      id uuid, task_id uuid, version_id uuid, step_id uuid, kind text, outcome text, sequence integer,
      notes text)
    join newest n using (task_id)
),
ended_claims as (
  update review_slots s set lease_until = now()
  from json_to_recordset(p_claimants) as c(task_id uuid, step_id uuid, person text) join newest n using (task_id)
  where s.tenant_id = p_tenant_id::uuid and s.step_id = c.step_id and s.person = c.person and (s.slot is not null and s.lease_until > now())
),
withdrawn as (
  update reviews r set withdrawn_seq = n.seq
  from json_to_recordset(p_withdrawals) as w(id uuid, task_id uuid) join newest n using (task_id)
  where r.tenant_id = p_tenant_id::uuid and r.id = w.id and r.withdrawn_seq is null
),
undone as materialized (
  select d.id, d.task_id, d.state, n.at, coalesce(d.lease_until >= (select clock_timestamp()), false) as is_leased
  from json_to_recordset(p_undone) as u(task_id uuid, seq integer, operation_id uuid)
    join reached n on n.task_id = u.task_id
    join pipeline_dispatches d on d.task_id = u.task_id
  where d.tenant_id = p_tenant_id::uuid
    and case when u.seq is null then d.bulk_operation_id = u.operation_id else d.cause_seq = u.seq end
  order by d.id
  for update of d
),
left_behind as materialized (
  select d.id, d.task_id, d.state, n.at
  from json_to_recordset(p_recalls) as r(
      task_id uuid, step_id uuid, version_id uuid, attached boolean, payment boolean)
    join newest n using (task_id)
    join pipeline_dispatches d on d.task_id = r.task_id
  where d.tenant_id = p_tenant_id::uuid and d.state in ('pending', 'sent')
    and (d.lease_until is null or d.lease_until < (select clock_timestamp()))
    and case when d.pipeline = 'payment' then r.payment and d.version_id = r.version_id
      else r.attached and d.step_id = r.step_id end
  order by d.id
  for update of d
),
recallable as materialized (
  select id, task_id, state, at from left_behind
  union all select id, task_id, state, at from undone where state in ('pending', 'sent') and not is_leased
),
recalled as (
  update pipeline_dispatches d set state = 'recalled', updated_at = greatest(d.updated_at, r.at)
  from recallable r
  where d.tenant_id = p_tenant_id::uuid and d.id = r.id
  returning d.task_id
),
-- Runs that were decided on, and those that were opened since on a step that is left or ended.
asked_run as materialized (
  select * from json_to_recordset(p_runs) as r(id uuid, task_id uuid, state text, verdict text, result jsonb, error text)
),
run_change as materialized (
  select * from asked_run
  union all
  select w.id, l.task_id, 'CANCELLED', null, null, null
  from json_to_recordset(p_recalls) as l(task_id uuid, step_id uuid, attached boolean)
    join worker_runs w on w.step_id = l.step_id
  where w.tenant_id = p_tenant_id::uuid and l.attached and w.state in ('QUEUED', 'RUNNING')
    and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION') and not exists (select from asked_run r where r.id = w.id)
  union
  -- What was called back before anybody began is not waited for.
  select w.id, r.task_id, 'CANCELLED', null, null, null
  from recallable r join worker_runs w on w.dispatch_id = r.id
  where w.tenant_id = p_tenant_id::uuid and w.state = 'QUEUED'
    and not exists (select from asked_run r where r.id = w.id)
),
-- A report renews the deadline, in real time, by the pipeline's own allowance, an hour where none is set.
reported as (
  update worker_runs w set
    state = r.state, verdict = r.verdict, result = coalesce(r.result, w.result), error = coalesce(r.error, w.error),
    updated_at = greatest(w.updated_at, n.at),
    deadline_at = case when r.state = 'RUNNING' then (select clock_timestamp()) + make_interval(secs => coalesce(
    (select p.run_deadline_seconds from pipelines p where p.name = lower(w.type)), 3600)) else w.deadline_at end
  from run_change r join reached n using (task_id)
  where w.tenant_id = p_tenant_id::uuid and w.id = r.id and w.state in ('QUEUED', 'RUNNING')
),
dispatched as (
  insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq,
    by_hand, bulk_operation_id, created_at, updated_at)
  select p_tenant_id::uuid, a.id, a.pipeline, a.task_id, a.version_id, a.step_id, n.seq,
    n.is_silent, null::uuid, n.at, n.at
  from json_to_recordset(p_dispatches) as a(
      id uuid, pipeline text, task_id uuid, version_id uuid, step_id uuid)
    join reached n using (task_id)
  where not exists (select from pipeline_dispatches d where d.tenant_id = p_tenant_id::uuid and d.task_id = a.task_id
    and d.step_id = a.step_id and d.pipeline = a.pipeline and (d.state = 'delivered' and exists (select from worker_runs q
    where q.tenant_id = d.tenant_id and q.dispatch_id = d.id and q.offered and q.state = 'QUEUED')))
  order by a.task_id
  on conflict do nothing
  returning id, pipeline, task_id, created_at
),
dispatch_log as (
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason,
    operation_id, at)
  select p_tenant_id::uuid, new_id(), id, from_state, to_state, p_actor_id::text, p_actor_name::text,
    null::text, p_operation_id::uuid, greatest(coalesce(change.since, (select writer_clock())), (select l.at from dispatch_events l
      where l.tenant_id = p_tenant_id::uuid and l.dispatch_id = change.id order by l.position desc limit 1))
  from (
    select id, null as from_state, 'pending' as to_state, created_at as since from dispatched
    union all
    select id, state, 'recalled', at from recallable
  ) change
),
effect as materialized (
  select task_id, seq, step_id from newest
  union all
  select task_id, null, null from reached where is_silent
    and (task_id in (select task_id from dispatched) or task_id in (select task_id from recalled))
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at)
      , 'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')) order by c.task_id, c.seq)
      from chained c), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id)
      order by task_id) from dispatched), '[]') as dispatched,
    json_build_object('recalled', (select count(*) from undone where state in ('pending', 'sent') and not is_leased),
      'alreadyDelivered', (select count(*) from undone
    where state = 'delivered' or (state in ('pending', 'sent') and is_leased))) as undone,
    (select count(*) from effect) as tasks
),
stored as (
  update operations o set result = json_build_object('answer', p_answer::json, 'events', outcome.events, 'dispatched', outcome.dispatched
      , 'undone', outcome.undone)
  from outcome
  where o.tenant_id = p_tenant_id::uuid and o.id = p_operation_id::uuid
    and (outcome.tasks > 0 or p_is_kept_if_empty::boolean)
),
dropped as (
  delete from operations o using outcome
  where o.tenant_id = p_tenant_id::uuid and o.id = p_operation_id::uuid
    and outcome.tasks = 0 and not p_is_kept_if_empty::boolean
)
select events, dispatched, undone, exists (select from webhooks w where w.tenant_id = p_tenant_id::uuid and (w.enabled and w.events && '{task.label_changed,task.attention}'::text[])) as "hasListeners" from outcome;
set constraints all immediate;
end $prepared$;
revoke execute on function prepared.record_moves_4b0877d5 from public;
grant execute on function prepared.record_moves_4b0877d5 to stepledger_app;
