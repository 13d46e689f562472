-- Returns up to rows_max open worker runs whose deadline has passed, the most overdue first. Runs of simulated tasks are
-- never late: the story decides what becomes of their workers, however slowly it is told.
--
-- Called by: the sweep (src/actions/runs/close-late-runs.ts, through findLateRuns in src/db/runs/worker-runs.ts), which
-- closes them through the same decision as a report. It claims nothing: that decision is guarded, so a run that two
-- sweeps find is closed once.
--
-- Security definer, because it crosses tenants. The partial index worker_runs_deadline serves it.

create or replace function late_runs(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select w.tenant_id, w.id from worker_runs w
  where w.state in ('QUEUED', 'RUNNING') and w.deadline_at < now()
    and not exists (select from tasks t
      where t.tenant_id = w.tenant_id and t.id = w.task_id and t.seed_run_id is not null)
  order by w.deadline_at limit least(rows_max, 1000);
end;

revoke execute on function late_runs(integer) from public;
grant execute on function late_runs(integer) to stepledger_app;
