import { sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { InsightSnapshot } from "../../domain/evals/insights.ts";
import type { MakerDetails } from "../../domain/maker.ts";
import type { RunState } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { Operation, OperationRecord, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { bytesOf, type Chunk, readChunkById } from "../sql/chunks.ts";
import { type FilterOf, matches } from "../sql/conditions.ts";
import { isTask } from "../tasks/task-match.ts";
import { storedJson } from "../connection/stored-operation.ts";
import { notBefore } from "../sql/writer-clock.ts";

/** An insight, as responses show it. */
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
  'agent', i.agent, 'agentRevision', i.agent_revision, 'provider', i.provider, 'status', i.status, 'input', i.input, 'output', i.output,
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
 * Creates an insight in one round trip. Returns no row if the task does not exist, or has no such eval or trial, and a
 * null insight if the task is archived. If only a trial is given, the insight belongs to the trial's eval as well.
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
  insert into insights as i (tenant_id, id, task_id, eval_id, trial_id, kind, model, model_revision, agent,
    agent_revision, provider, status, input, output, usage, created_by)
  select ${tenantId}::uuid, ${insight.id}::uuid, task_id, eval_id, trial_id, ${insight.kind}::text,
    ${insight.model}::text, ${insight.modelRevision}::text, ${insight.agent}::text,
    ${insight.agentRevision}::text, ${insight.provider}::text,
    ${insight.status}::text, ${jsonText(insight.input)}::jsonb, ${jsonText(insight.output)}::jsonb,
    ${jsonText(insight.usage)}::jsonb, ${actor.id}::text
  from place where archived_at is null
  returning ${INSIGHT_JSON} as insight
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.insight` })}
select (select insight from created) as insight from place`,
  ]);
}

/** Loads an insight, and what an earlier call with the same idempotency key stored. */
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

/** Records the new state of an insight. Returns no row if the insight has changed since `seenAt`. */
export function recordInsight(
  database: TenantDatabase,
  { id, status, output, usage }: InsightSnapshot,
  { seenAt, operation }: { seenAt: string; operation: Operation },
): Promise<Written<{ insight: InsightRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with
updated as (
  update insights i set status = ${status}, output = ${jsonText(output)}::jsonb, usage = ${jsonText(usage)}::jsonb,
    -- Each change gets a different time, because updated_at is how a writer detects that the state has changed.
    updated_at = ${notBefore(sql`i.updated_at + interval '1 microsecond'`)}
  where i.tenant_id = ${tenantId}::uuid and i.id = ${id}::uuid and i.updated_at = ${seenAt}::timestamptz
  returning ${INSIGHT_JSON} as insight
),
${keepOrDrop({ tenantId, operation }, { from: sql`updated`, result: sql`updated.insight` })}
select insight from updated`,
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
  agentRevision: (revision: string) => sql`i.agent_revision = ${revision}`,
  provider: (provider: string) => sql`i.provider = ${provider}`,
};

export type InsightFilter = FilterOf<typeof INSIGHT_FILTERS>;

/** Returns a page of the matching insights, newest first. It ends early if their inputs and outputs are large. */
export function listInsights(
  database: TenantDatabase,
  filter: InsightFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<Chunk<InsightRecord, string>> {
  return readChunkById(database, insightsOf(filter), after, { limit, newestFirst: true });
}

/** Returns a chunk of all matching insights, oldest first. */
export function readInsightChunk(
  database: TenantDatabase,
  filter: InsightFilter,
  afterId: string | null,
): Promise<Chunk<InsightRecord, string>> {
  return readChunkById(database, insightsOf(filter), afterId);
}

const insightsOf = (filter: InsightFilter) => ({
  table: sql`insights`,
  alias: sql`i`,
  bytes: bytesOf(sql`i.input::text`, sql`i.output::text`, sql`i.usage::text`),
  condition: matches(INSIGHT_FILTERS, filter),
  row: INSIGHT_JSON,
});

/** Returns the value as JSON text. A missing value is SQL NULL, never a JSON null, so that it has only one form. */
function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
