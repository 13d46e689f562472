-- Returns up to rows_max tasks whose current step is idle and not marked yet: it is running, in a stage that a pipeline
-- works on, and for the run deadline of that pipeline no run of it was open. Those that began to run first come first.
-- Left out are tasks that are archived, and steps that a person holds or that a deferred report waits on.
--
-- Called by: the sweep (src/actions/runs/mark-idle-steps.ts, through src/db/runs/idle-steps.ts), which appends an event
-- to each. It claims nothing: that event is guarded, so a task that two sweeps find is marked once.
--
-- Security definer, because it crosses tenants. It returns ids only, of tasks that the next sweep marks anyway. The
-- partial index task_labels_running has one entry for each task that runs in such a stage, and only those that began
-- before the shortest deadline are looked at: a healthy database has few. Tenants with a simulated clock are looked at
-- apart, because their times can be anywhere. The time since a run ended is that of its last change, because an ended run
-- does not change.

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
