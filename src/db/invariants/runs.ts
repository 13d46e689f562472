import type { Invariant } from "./invariant.ts";

export const RUN_INVARIANTS: readonly Invariant[] = [
  {
    name: "offered-runs-are-claimed-first",
    description: "A worker is at work on an offered run, or has been, and nobody had claimed it.",
    sql: `
      select tenant_id, id from worker_runs
      where offered and lease_owner is null and (state in ('RUNNING', 'SUCCEEDED') or attempt > 1)`,
  },
  {
    name: "leases-end-with-the-deadline",
    description: "A lease keeps a run from other workers beyond the run's deadline.",
    sql: "select tenant_id, id from worker_runs where state = 'QUEUED' and lease_until > deadline_at",
  },
];
