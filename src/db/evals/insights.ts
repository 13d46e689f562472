import { sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { InsightSnapshot } from "../../domain/evals/insights.ts";
import type { MakerDetails } from "../../domain/maker.ts";
import type { RunState } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { Operation, OperationRecord, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isTask } from "../tasks/task-match.ts";
import { storedJson } from "../connection/transaction.ts";

/** An insight as every answer shows it. */
export interface InsightRecord extends InsightSnapshot, MakerDetails {
  taskId: string;
  evalId: string | null;
  trialId: string | null;
  kind: string;
  model: string;
  input: unknown;
  createdAt: string;
  updatedAt: string;
}

/** An InsightRecord, from the alias i. */
const INSIGHT_JSON = sql`json_build_object('id', i.id, 'taskId', i.task_id, 'evalId', i.eval_id,
  'trialId', i.trial_id, 'kind', i.kind, 'model', i.model, 'modelRevision', i.model_revision,
  'agent', i.agent, 'provider', i.provider, 'status', i.status, 'input', i.input, 'output', i.output,
  'usage', i.usage, 'createdAt', iso(i.created_at), 'updatedAt', iso(i.updated_at))`;

export interface NewInsight extends MakerDetails {
  id: string;
  task: TaskRef;
  evalId: string | null;
  trialId: string | null;
  kind: string;
  model: string;
  status: RunState;
  input: unknown;
  output: unknown;
  usage: Readonly<Record<string, unknown>> | null;
}

/**
 * Opens an insight in one round trip. No row comes back where the task, or the eval or trial of it, is unknown, and no
 * insight where the task is archived. A trial brings its eval.
 */
export function createInsight(
  database: TenantDatabase,
  insight: NewInsight,
  { actor, operation }: { actor: Actor; operation: Operation },
): Promise<Written<{ insight: InsightRecord | null }>> {
  const { tenantId } = database;
  const { evalId, trialId } = insight;
  return database.write(operation, [
    sql`
with
place as materialized (
  select t.id as task_id, t.archived_at, coalesce(e.id, x.eval_id) as eval_id, x.id as trial_id
  from tasks t
    left join evals e on e.tenant_id = t.tenant_id and e.task_id = t.id and e.id = ${evalId}::uuid
    left join trials x on x.tenant_id = t.tenant_id and x.task_id = t.id and x.id = ${trialId}::uuid
      and x.eval_id = coalesce(e.id, x.eval_id)
  where t.tenant_id = ${tenantId}::uuid and ${isTask(insight.task)}
    and (${evalId}::uuid is null or e.id is not null) and (${trialId}::uuid is null or x.id is not null)
),
created as (
  insert into insights as i (tenant_id, id, task_id, eval_id, trial_id, kind, model, model_revision, agent, provider,
    status, input, output, usage, created_by)
  select ${tenantId}::uuid, ${insight.id}::uuid, task_id, eval_id, trial_id, ${insight.kind}::text,
    ${insight.model}::text, ${insight.modelRevision}::text, ${insight.agent}::text, ${insight.provider}::text,
    ${insight.status}::text, ${spelled(insight.input)}::jsonb, ${spelled(insight.output)}::jsonb,
    ${spelled(insight.usage)}::jsonb, ${actor.id}::text
  from place where archived_at is null
  returning ${INSIGHT_JSON} as insight
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.insight` })}
select (select insight from created) as insight from place`,
  ]);
}

/** One insight, and what the ledger has under the call's key. */
export async function loadInsight(
  database: TenantDatabase,
  insightId: string,
  operation: Operation,
): Promise<{ insight: InsightRecord | null; stored: OperationRecord | null }> {
  const [row] = await database.read<{
    insight: InsightRecord | null;
    stored: OperationRecord | null;
  }>(sql`
    select (select ${INSIGHT_JSON} from insights i where i.id = ${insightId}) as insight,
      ${storedJson(operation)} as stored`);
  return row ?? { insight: null, stored: null };
}

/** Records what an insight is now; no row comes back where it has been told of since it was loaded. */
export function recordInsight(
  database: TenantDatabase,
  { id, status, output, usage }: InsightSnapshot,
  { seenAt, operation }: { seenAt: string; operation: Operation },
): Promise<Written<{ insight: InsightRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with
told as (
  update insights i set status = ${status}, output = ${spelled(output)}::jsonb, usage = ${spelled(usage)}::jsonb,
    -- Each change has a time of its own: it is what tells one state from the next.
    updated_at = greatest(clock_timestamp(), i.updated_at + interval '1 microsecond')
  where i.tenant_id = ${tenantId}::uuid and i.id = ${id}::uuid and i.updated_at = ${seenAt}::timestamptz
  returning ${INSIGHT_JSON} as insight
),
${keepOrDrop({ tenantId, operation }, { from: sql`told`, result: sql`told.insight` })}
select insight from told`,
  ]);
}

const INSIGHT_FILTERS = {
  task: (task: TaskRef) =>
    sql`exists (select from tasks t where t.tenant_id = i.tenant_id and t.id = i.task_id and ${isTask(task)})`,
  evalId: (id: string) => sql`i.eval_id = ${id}`,
  trialId: (id: string) => sql`i.trial_id = ${id}`,
  kind: (kind: string) => sql`i.kind = ${kind}`,
  status: (status: RunState) => sql`i.status = ${status}`,
  model: (model: string) => sql`i.model = ${model}`,
  modelRevision: (revision: string) => sql`i.model_revision = ${revision}`,
  agent: (agent: string) => sql`i.agent = ${agent}`,
  provider: (provider: string) => sql`i.provider = ${provider}`,
};

export type InsightFilter = FilterOf<typeof INSIGHT_FILTERS>;

/** A page of insights, newest first. */
export async function listInsights(
  database: TenantDatabase,
  filter: InsightFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<InsightRecord[]> {
  const rows = await database.read<{ insight: InsightRecord }>(sql`
    select ${INSIGHT_JSON} as insight from insights i
    where ${allOf(matches(INSIGHT_FILTERS, filter), after !== null && sql`i.id < ${after}`)}
    order by i.id desc limit ${limit}`);
  return rows.map(({ insight }) => insight);
}

/** As the database reads it; null is SQL's own, so that "nothing yet" is one thing. */
function spelled(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
