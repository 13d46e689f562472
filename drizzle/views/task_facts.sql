-- For each task, everything that its label depends on, and whether it is archived.
--
-- Read by: relabel_tasks, lookups of many tasks (src/db/tasks/tasks.ts), the invariant labels-match-resolver
-- (src/db/invariants/labels.ts) and `npm run verify` (scripts/verify/labels.ts). keep_labels holds the same query over the
-- rows that a statement has changed.
--
-- security_invoker, so that row security applies to the reader: the application sees its tenant's tasks, the owner all.
--
-- Generated from src/db/tasks/label-sql.ts and the rules that it reads, by `npm run generate`: do not edit. A migration
-- that changes this object must also run `select rebuild_labels();`.

create or replace view task_facts with (security_invoker = true) as
select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id and r.withdrawn_seq is null
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers,
    t.archived_at is not null as archived, t.priority, t.taxonomy_code, t.event_seq,
    t.archived_at is null and s.kind = 'expert_review' and s.status in ('queued', 'awaiting_review', 'in_review') and s.gate <> 'blocked'
      as waits_for_review, s.held_gate,
    s.idled_seq is not null as idle,
    case when s.status = 'running' and s.kind in ('pre_qa', 'output_generation', 'calibration') and s.idled_seq is null and t.archived_at is null
      then t.status_since end as running_since
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id;

grant select on task_facts to stepledger_app;
