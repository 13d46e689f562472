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
];
