import { type SQL, sql } from "drizzle-orm";
import { STATUS_RELEVANT_WORKER_TYPES } from "../../domain/lifecycle/statuses.ts";
import { listed } from "../sql/listed.ts";
import type { MoveInput } from "./move-input.ts";
import type { Bound } from "../connection/prepared.ts";
import { runAllowance } from "../runs/run-guards.ts";
import { REAL_CLOCK } from "../sql/writer-clock.ts";

/**
 * The writer's CTEs for runs. They read from `reached`, the present steps of the tasks, and from `recallable`, the
 * dispatches that are recalled.
 */
export function runChangeCtes(tenantId: Bound<string>, input: MoveInput): SQL {
  return sql`-- Runs that were decided on, and those that were opened since on a step that is left or ended.
asked_run as materialized (
  select * from json_to_recordset(${input.runs}) as r(id uuid, task_id uuid, state text, verdict text, result jsonb, error text)
),
run_change as materialized (
  select * from asked_run
  union all
  select w.id, l.task_id, 'CANCELLED', null, null, null
  from json_to_recordset(${input.recalls}) as l(task_id uuid, step_id uuid, attached boolean)
    join worker_runs w on w.step_id = l.step_id
  where w.tenant_id = ${tenantId}::uuid and l.attached and w.state in ('QUEUED', 'RUNNING')
    and w.type in (${RELEVANT_TYPES}) and not exists (select from asked_run r where r.id = w.id)
  union
  -- What was called back before anybody began is not waited for.
  select w.id, r.task_id, 'CANCELLED', null, null, null
  from recallable r join worker_runs w on w.dispatch_id = r.id
  where w.tenant_id = ${tenantId}::uuid and w.state = 'QUEUED'
    and not exists (select from asked_run r where r.id = w.id)
),
-- A report renews the deadline, in real time, by the pipeline's own allowance, an hour where none is set.
reported as (
  update worker_runs w set
    state = r.state, verdict = r.verdict, result = coalesce(r.result, w.result), error = coalesce(r.error, w.error),
    updated_at = greatest(w.updated_at, n.at),
    deadline_at = case when r.state = 'RUNNING' then ${REAL_CLOCK} + ${runAllowance(sql`w.type`)} else w.deadline_at end
  from run_change r join reached n using (task_id)
  where w.tenant_id = ${tenantId}::uuid and w.id = r.id and w.state in ('QUEUED', 'RUNNING')
),`;
}

const RELEVANT_TYPES = listed(STATUS_RELEVANT_WORKER_TYPES);
