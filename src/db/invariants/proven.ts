import { REGISTRY_HISTORY } from "../../domain/registry-history/index.ts";
import { RELEVANT_TYPES } from "../tasks/label-sql.ts";
import type { Invariant } from "./invariant.ts";
import { valuesOf } from "./values.ts";

// What the hashed events say, compared with the tables. The chain proves the events; these queries prove the rest of a
// table's columns by them. Columns that no event proves are listed in scripts/verify/not-covered.ts.

/** Returns the condition that a row was created at the time of its event. */
// Earlier releases wrote the start of the transaction, which is shortly before the event.
const isCreatedAt = (column: string, at: string): string =>
  `coalesce(${column} between ${at} - interval '1 minute' and ${at}, false)`;

/** The event that opens each version, and where the next version begins. */
const OPENED_VERSIONS = `
  select tenant_id, task_id, version_id, type, actor_id, reason, at, payload::json as payload,
    lead(seq) over later as sealing_seq, lead(at) over later as sealed_at
  from step_events where type in ('task_created', 'version_created')
  window later as (partition by tenant_id, task_id order by seq)`;

/** The event that opens each step. */
const OPENED_STEPS = `
  select tenant_id, task_id, version_id, step_id, at, payload::json -> 'opened' as opened
  from step_events where from_status is null`;

/** The reviews that events record. */
const RECORDED_REVIEWS = `
  select tenant_id, task_id, version_id, actor_id, actor_name, at, review, (review ->> 'id')::uuid as id
  from (select *, payload::json -> 'review' as review from step_events where type = 'review_recorded') e`;

/** The reviews that events withdraw. */
const WITHDRAWN_REVIEWS = `
  select tenant_id, seq, (review ->> 'id')::uuid as id
  from (select tenant_id, seq, payload::json -> case type when 'review_withdrawn' then 'review' else 'withdrawn' end as review
    from step_events where type in ('review_withdrawn', 'bulk_reverted')) e where review is not null`;

/** The runs that events report. */
const REPORTED_RUNS = `
  select tenant_id, task_id, seq, registry_version, (run ->> 'id')::uuid as id, run ->> 'state' as state,
    run ->> 'verdict' as verdict, run ->> 'type' as type, run ->> 'stepId' as step_id
  from (select tenant_id, task_id, seq, registry_version, payload::json -> 'run' as run
    from step_events where type = 'worker_run_changed') e`;

/** The runs that events cancel. The pattern keeps Postgres from parsing the payloads of all other events. */
const CANCELLED_RUNS = `
  select tenant_id, task_id, seq, registry_version, run_id::uuid as id, 'CANCELLED' as state, null as verdict
  from step_events cross join json_array_elements_text(payload::json -> 'cancelledRuns') run_id
  where payload like '%"cancelledRuns":["%'`;

const STATUS_OF_TARGET = valuesOf(
  REGISTRY_HISTORY.flatMap(({ registryVersion, bulkStepStatus }) =>
    Object.entries(bulkStepStatus).map(([target, status]) => [registryVersion, target, status]),
  ),
);

const ATTACHED_PIPELINES = valuesOf(
  REGISTRY_HISTORY.flatMap(({ registryVersion, pipelinesOnEntry }) =>
    pipelinesOnEntry.map(({ pipeline, kind, status }) => [registryVersion, pipeline, kind, status]),
  ),
);

export const PROVEN_INVARIANTS: readonly Invariant[] = [
  {
    name: "tasks-match-their-events",
    description:
      "A task's fields, author, time of creation or time of archiving differ from what its events record.",
    sql: `
      with edited as (
        select tenant_id, task_id, jsonb_object_agg(field, value) as fields
        from (
          select distinct on (e.tenant_id, e.task_id, c.key) e.tenant_id, e.task_id, c.key as field, c.value -> 'to' as value
          from step_events e cross join jsonb_each(e.payload::jsonb -> 'changes') c
          where e.type = 'task_updated'
          order by e.tenant_id, e.task_id, c.key, e.seq desc) newest
        group by tenant_id, task_id
      ), archived as (
        select distinct on (tenant_id, task_id) tenant_id, task_id, case type when 'task_archived' then at end as at
        from step_events where type in ('task_archived', 'task_restored')
        order by tenant_id, task_id, seq desc
      )
      select t.tenant_id, t.id
      from tasks t
      left join (select tenant_id, task_id, actor_id, at, payload::jsonb as fields from step_events where seq = 1) c
        on c.tenant_id = t.tenant_id and c.task_id = t.id
      left join edited e on e.tenant_id = t.tenant_id and e.task_id = t.id
      left join archived a on a.tenant_id = t.tenant_id and a.task_id = t.id
      cross join lateral (select c.fields || coalesce(e.fields, '{}') as now) f
      where (t.title, t.external_id, t.taxonomy_code, t.priority::text, t.assignee, t.created_by, t.created_at, t.archived_at)
        is distinct from (f.now ->> 'title', f.now ->> 'externalId', f.now ->> 'taxonomyCode', f.now ->> 'priority',
          f.now ->> 'assignee', c.actor_id, c.at, a.at)`,
  },
  {
    name: "versions-match-their-events",
    description:
      "A version was not opened by an event, or its number, hash, reason, author, times or pointer differ from its events.",
    sql: `
      select coalesce(v.tenant_id, e.tenant_id), coalesce(v.id, e.version_id)
      from task_versions v
      full join (${OPENED_VERSIONS}) e
        on e.tenant_id = v.tenant_id and e.task_id = v.task_id and e.version_id = v.id
      left join step_events l on l.tenant_id = e.tenant_id and l.task_id = e.task_id and l.seq = e.sealing_seq - 1
      where v.id is null or e.version_id is null
        or (v.number::text, v.content_hash, v.reason, v.created_by, v.sealed_at) is distinct from case e.type
          when 'task_created' then ('1'::text, e.payload ->> 'contentHash', null::text, e.actor_id, e.sealed_at)
          else (e.payload #>> '{version,number}', e.payload #>> '{version,contentHash}', e.reason, e.actor_id, e.sealed_at) end
        or not ${isCreatedAt("v.created_at", "e.at")}
        or (l.step_id is not null and v.current_step_id <> l.step_id)`,
  },
  {
    name: "steps-match-their-events",
    description:
      "A step was not opened by an event, or its kind, attempt or time of creation differ from that event.",
    sql: `
      select coalesce(s.tenant_id, e.tenant_id), coalesce(s.id, e.step_id)
      from steps s
      full join (${OPENED_STEPS}) e on e.tenant_id = s.tenant_id and e.task_id = s.task_id
        and e.version_id = s.version_id and e.step_id = s.id
      where s.id is null or e.step_id is null
        or (s.kind, s.attempt::text) is distinct from (e.opened ->> 'kind', e.opened ->> 'attempt')
        or not ${isCreatedAt("s.created_at", "e.at")}`,
  },
  {
    name: "reviews-match-their-events",
    description:
      "A review has no event or differs from it, or an event names a review that does not exist, or a review is not withdrawn by exactly the event that withdraws it.",
    sql: `
      select coalesce(r.tenant_id, e.tenant_id), coalesce(r.task_id, e.task_id), coalesce(r.id, e.id)
      from reviews r
      full join (${RECORDED_REVIEWS}) e on e.tenant_id = r.tenant_id and e.task_id = r.task_id and e.id = r.id
      left join (${WITHDRAWN_REVIEWS}) w on w.tenant_id = r.tenant_id and w.id = r.id
      where r.id is null or e.id is null or r.withdrawn_seq is distinct from w.seq
        or (r.kind, r.outcome, r.sequence::text, r.step_id::text, r.version_id, r.reviewer_id, r.reviewer_name)
          is distinct from (e.review ->> 'kind', e.review ->> 'outcome', e.review ->> 'sequence', e.review ->> 'stepId',
            e.version_id, e.actor_id, e.actor_name)
        or not ${isCreatedAt("r.created_at", "e.at")}`,
  },
  {
    name: "runs-match-their-events",
    description:
      "An event reports a run that does not exist or is another, or a run that can affect a label does not have the state and the verdict that its newest event records.",
    // Events of registry version 1 record no verdict.
    sql: `
      with reported as (${REPORTED_RUNS}), newest as (
        select distinct on (tenant_id, id) tenant_id, id, state, verdict, registry_version
        from (select tenant_id, id, seq, state, verdict, registry_version from reported
          union all select tenant_id, id, seq, state, verdict, registry_version from (${CANCELLED_RUNS}) c) reported
        order by tenant_id, id, seq desc
      )
      select e.tenant_id, e.id
      from reported e left join worker_runs w on w.tenant_id = e.tenant_id and w.id = e.id
      where (w.task_id, w.type, w.step_id::text) is distinct from (e.task_id, e.type, e.step_id)
      union all
      select w.tenant_id, w.id
      from worker_runs w left join newest n on n.tenant_id = w.tenant_id and n.id = w.id
      where w.type in (${RELEVANT_TYPES})
        and case when n.id is null then w.state in ('RUNNING', 'SUCCEEDED', 'FAILED') or w.verdict is not null else w.state <> n.state
          or (n.registry_version > 1 and w.verdict is distinct from n.verdict) end`,
  },
  {
    name: "items-match-their-events",
    description:
      "A changed item of a bulk operation has no event of its task, or its seqs, step, status or gate differ from its events.",
    // Materialized, because Postgres would look up the items of an operation anew for each of its events.
    sql: `
      with changed as materialized (
        select tenant_id, operation_id, task_id, lower(task_id) as task_key, planned_seq, from_status, from_gate, step_id,
          event_seq
        from bulk_operation_items where outcome = 'changed'
      ),
      ended as materialized (
        select tenant_id, bulk_operation_id, task_id, task_id::text as task_key, min(seq) as first_seq, max(seq) as last_seq
        from step_events where bulk_operation_id is not null group by tenant_id, bulk_operation_id, task_id
      )
      select i.tenant_id, i.operation_id, i.task_id
      from changed i
      join ended e on e.tenant_id = i.tenant_id and e.bulk_operation_id = i.operation_id and e.task_key = i.task_key
        and e.last_seq = i.event_seq
      join step_events p on p.tenant_id = e.tenant_id and p.task_id = e.task_id and p.seq = e.first_seq - 1
      join step_events l on l.tenant_id = e.tenant_id and l.task_id = e.task_id and l.seq = e.last_seq
      where (i.planned_seq, i.from_status, i.from_gate, i.step_id) is distinct from (p.seq, p.to_status, p.to_gate, l.step_id)
      union all
      select i.tenant_id, i.operation_id, i.task_id
      from bulk_operation_items i
      where i.event_seq is not null and not exists (select from step_events e
        where e.tenant_id = i.tenant_id and e.bulk_operation_id = i.operation_id
          and e.task_id::text = lower(i.task_id) and e.seq = i.event_seq)`,
  },
  {
    name: "bulk-operations-match-their-events",
    description:
      "An event of a bulk operation has another actor, request or reason, or does something else than the operation, or has options of another kind of operation.",
    // Operations of early releases have no request id. Their kind and role of the actor are not known.
    sql: `
      select e.tenant_id, e.task_id, e.seq, b.id
      from step_events e join bulk_operations b on b.tenant_id = e.tenant_id and b.id = e.bulk_operation_id
      where (b.actor_id, b.actor_name, b.reason)
          is distinct from (e.actor_id, e.actor_name, coalesce(e.reason, b.reason))
        or (b.request_id <> '' and (b.request_id, b.actor_kind, b.actor_role)
          is distinct from (e.request_id, e.actor_kind, e.actor_role))
        or (b.action is distinct from 'revert' and b.registry_version <> e.registry_version)
        or (e.type in ('bulk_transitioned', 'step_transitioned', 'step_advanced', 'step_reworked')
          and b.run_attached_workflows <> e.run_attached_workflows)
        or case e.type
          when 'bulk_transitioned' then b.duplicate_of is distinct from e.duplicate_of
            or coalesce((e.registry_version, b.target_status, e.to_status) not in (${STATUS_OF_TARGET}), true)
          when 'step_advanced' then b.action is distinct from 'advance'
          when 'step_reworked' then b.action is distinct from 'rework'
          when 'step_transitioned' then b.action is distinct from 'retry'
          when 'bulk_reverted' then b.action is distinct from 'revert'
          when 'task_updated' then coalesce(b.action not in ('edit', 'revert'), true)
            or (b.action = 'edit' and exists (select from jsonb_each(e.payload::jsonb -> 'changes') c
              where b.changes -> c.key is distinct from c.value -> 'to'))
          else false end
      union all
      select tenant_id, null, null, id from bulk_operations
      where (action is not distinct from 'edit') <> (changes is not null)
        or (duplicate_of is not null and target_status is distinct from 'DUPLICATE')
        or (action = 'run_pipelines' and not run_attached_workflows)`,
  },
  {
    name: "bulk-dispatches-are-counted",
    description: "A bulk operation does not count exactly the dispatches that name it.",
    sql: `
      select b.tenant_id, b.id
      from bulk_operations b
      left join (select tenant_id, bulk_operation_id, count(*) as dispatched from pipeline_dispatches
          where bulk_operation_id is not null group by tenant_id, bulk_operation_id) d
        on d.tenant_id = b.tenant_id and d.bulk_operation_id = b.id
      where b.dispatched <> coalesce(d.dispatched, 0)`,
  },
  {
    name: "dispatches-match-their-cause",
    description:
      "A dispatch is for another step than its cause, or its request differs from that of its bulk operation or, if it was attached to a move, from that move's event.",
    sql: `
      select d.tenant_id, d.id
      from pipeline_dispatches d
      left join step_events e on e.tenant_id = d.tenant_id and e.task_id = d.task_id and e.seq = d.cause_seq
      left join steps s on s.tenant_id = d.tenant_id and s.id = d.step_id
      left join bulk_operations b on b.tenant_id = d.tenant_id and b.id = d.bulk_operation_id
      left join lateral (select * from dispatch_events l
        where l.tenant_id = d.tenant_id and l.dispatch_id = d.id order by l.position limit 1) l on true
      where (d.step_id, d.version_id) is distinct from (e.step_id, e.version_id)
        or d.by_hand = coalesce(l.operation_id = e.operation_id, false)
        or not ${isCreatedAt("d.created_at", "l.at")}
        or (b.id is not null and (l.actor_id, l.actor_name, l.reason) is distinct from (b.actor_id, b.actor_name, b.reason))
        or (not d.by_hand and ((l.actor_id, l.actor_name, d.bulk_operation_id)
            is distinct from (e.actor_id, e.actor_name, e.bulk_operation_id)
          or (e.registry_version, d.pipeline, s.kind, e.to_status) not in (${ATTACHED_PIPELINES})))`,
  },
  {
    name: "evals-match-their-events",
    description:
      "An eval's task, version, name, slots, author or time of creation differ from its first event, or its k or its mark as a twin from the newest event about it.",
    sql: `
      select v.tenant_id, v.id
      from evals v
      left join (select tenant_id, eval_id, task_id, actor_id, at, payload::jsonb as payload
          from eval_step_events where seq = 1) e on e.tenant_id = v.tenant_id and e.eval_id = v.id
      left join (select tenant_id, eval_id, jsonb_object_agg(field, value) as changes
          from (select distinct on (u.tenant_id, u.eval_id, c.key) u.tenant_id, u.eval_id, c.key as field,
              c.value -> 'to' as value
            from eval_step_events u cross join jsonb_each(u.payload::jsonb -> 'changes') c
            where u.type = 'eval_updated' order by u.tenant_id, u.eval_id, c.key, u.seq desc) newest
          group by tenant_id, eval_id) u on u.tenant_id = v.tenant_id and u.eval_id = v.id
      where (v.task_id, v.version_id::text, v.name, v.k::text, coalesce(to_jsonb(v.slot_by), '["model"]'),
          v.twin_of::text, v.created_by, v.created_at)
        is distinct from (e.task_id, e.payload ->> 'versionId', e.payload ->> 'name',
          coalesce(u.changes ->> 'k', e.payload ->> 'k'), coalesce(e.payload -> 'slotBy', '["model"]'),
          u.changes ->> 'twinOf', e.actor_id, e.at)`,
  },
  {
    name: "prompts-match-their-hashes",
    description: "A prompt's hash is not the SHA-256 of its content.",
    sql: `
      select tenant_id, id from prompts
      where content_hash <> encode(sha256(convert_to(content, 'UTF8')), 'hex')`,
  },
];
