import type { Invariant } from "./invariant.ts";

export const RUN_INVARIANTS: readonly Invariant[] = [
  {
    name: "offered-runs-are-claimed-first",
    description:
      "An offered run is running, has succeeded, or is at a later attempt, but was never claimed.",
    sql: `
      select tenant_id, id from worker_runs
      where offered and lease_owner is null and (state in ('RUNNING', 'SUCCEEDED') or attempt > 1)`,
  },
  {
    name: "leases-end-by-the-deadline",
    description: "A lease on a queued run ends after the run's deadline.",
    sql: "select tenant_id, id from worker_runs where state = 'QUEUED' and lease_until > deadline_at",
  },
  {
    name: "late-reports-are-whole",
    description:
      "A late report lacks its state, its reporter or its call. Releases before run_late_reports kept only the result and the error.",
    sql: `
      select tenant_id, run_id, id from run_late_reports
      where num_nulls(state, actor_id, actor_name, actor_kind, actor_role, operation_id, request_id) > 0`,
  },
  {
    name: "late-reports-are-late",
    description: "A late report is on a run that is open, or only repeats how its run ended.",
    sql: `
      select l.tenant_id, l.run_id, l.id
      from run_late_reports l left join worker_runs w on w.tenant_id = l.tenant_id and w.id = l.run_id
      where coalesce(w.state in ('QUEUED', 'RUNNING'), true)
        or (l.state = w.state and coalesce(l.verdict = w.verdict, l.verdict is null)
          and coalesce(l.result = w.result, l.result is null) and coalesce(l.error = w.error, l.error is null))`,
  },
];
