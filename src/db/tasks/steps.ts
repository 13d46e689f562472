import { sql } from "drizzle-orm";
import type { StepSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { holdJson } from "./task-json.ts";
import { isTask } from "./task-match.ts";

/** A step. The hold and the deferred reports of a step that is not current do not count. */
interface StepRecord extends Omit<StepSnapshot, "idledSeq"> {
  taskId: string;
  current: boolean;
}

const STEP_COLUMNS = sql`s.id, s.task_id as "taskId", s.version_id as "versionId", s.kind, s.attempt, s.status,
  s.gate, case when s.id = t.current_step_id then ${holdJson(sql`s`)} end as hold,
  coalesce(case when s.id = t.current_step_id then s.deferred end, '[]') as deferred,
  s.id = t.current_step_id as current`;

/** Returns every step of a task, in the order in which they were opened; null if there is no such task. */
export async function listSteps(
  database: TenantDatabase,
  task: TaskRef,
): Promise<StepRecord[] | null> {
  const steps = await database.read<StepRecord>(sql`
    select ${STEP_COLUMNS}
    from tasks t join steps s on s.tenant_id = t.tenant_id and s.task_id = t.id
    join step_events e on e.tenant_id = s.tenant_id and e.task_id = s.task_id and e.step_id = s.id
      and e.from_status is null
    where ${isTask(task)}
    order by e.seq`);
  // Every task has at least one step.
  return steps.length === 0 ? null : steps;
}

/** Returns a step; null if there is none. */
export async function findStep(
  database: TenantDatabase,
  stepId: string,
): Promise<StepRecord | null> {
  const [step] = await database.read<StepRecord>(sql`
    select ${STEP_COLUMNS}
    from steps s join tasks t on t.tenant_id = s.tenant_id and t.id = s.task_id
    where s.id = ${stepId}`);
  return step ?? null;
}
