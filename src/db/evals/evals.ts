import { sql } from "drizzle-orm";
import type { EvalStatus, TrialStatus } from "../../domain/evals/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { type Chunk, readChunkById } from "../sql/chunks.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { EVAL_JSON, type EvalRecord, TRIAL_JSON, type TrialRecord } from "./eval-json.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isOfTask, isTask } from "../tasks/task-match.ts";

const EVAL_FILTERS = {
  task: (task: TaskRef) =>
    sql`exists (select from tasks t where t.tenant_id = e.tenant_id and t.id = e.task_id and ${isTask(task)})`,
  name: (name: string) => sql`e.name = ${name}`,
  status: (status: EvalStatus) => sql`e.status = ${status}`,
  /** The model of a live trial of the eval. */
  model: (model: string) =>
    sql`exists (select from trials x where x.tenant_id = e.tenant_id and x.eval_id = e.id
        and x.model = ${model} and x.retracted_at is null)`,
};

export type EvalFilter = FilterOf<typeof EVAL_FILTERS>;

/** Returns an eval; null if there is none. */
export async function findEval(
  database: TenantDatabase,
  evalId: string,
): Promise<EvalRecord | null> {
  const [row] = await database.read<{ eval: EvalRecord }>(sql`
    select ${EVAL_JSON} as eval from evals e ${VERSION_JOIN} where e.id = ${evalId}`);
  return row?.eval ?? null;
}

/** Returns a page of the matching evals, newest first. */
export async function listEvals(
  database: TenantDatabase,
  filter: EvalFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<EvalRecord[]> {
  const rows = await database.read<{ eval: EvalRecord }>(sql`
    select ${EVAL_JSON} as eval from evals e ${VERSION_JOIN}
    where ${allOf(matches(EVAL_FILTERS, filter), after !== null && sql`e.id < ${after}`)}
    order by e.id desc limit ${limit}`);
  return rows.map((row) => row.eval);
}

/** Returns a chunk of all matching evals, oldest first. */
export function readEvalChunk(
  database: TenantDatabase,
  filter: EvalFilter,
  afterId: string | null,
): Promise<Chunk<EvalRecord, string>> {
  const source = {
    table: sql`evals`,
    alias: sql`e`,
    bytes: sql`octet_length(e.name)`,
    condition: matches(EVAL_FILTERS, filter),
    row: sql`(select ${EVAL_JSON} from task_versions v where v.tenant_id = e.tenant_id and v.id = e.version_id)`,
  };
  return readChunkById(database, source, afterId);
}

const TRIAL_FILTERS = {
  model: (model: string) => sql`x.model = ${model}`,
  modelRevision: (revision: string) => sql`x.model_revision = ${revision}`,
  agent: (agent: string) => sql`x.agent = ${agent}`,
  agentRevision: (revision: string) => sql`x.agent_revision = ${revision}`,
  provider: (provider: string) => sql`x.provider = ${provider}`,
  status: (status: TrialStatus) => sql`x.status = ${status}`,
  /** true: only retracted trials; false: only live trials. */
  retracted: (isRetracted: boolean) => sql`(x.retracted_at is not null) = ${isRetracted}`,
};

export type TrialFilter = FilterOf<typeof TRIAL_FILTERS>;

/** Returns a page of an eval's trials, oldest first; null if there is no such eval. */
export async function listTrials(
  database: TenantDatabase,
  evalId: string,
  filter: TrialFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<TrialRecord[] | null> {
  const where = allOf(matches(TRIAL_FILTERS, filter), after !== null && sql`x.id > ${after}`);
  const [row] = await database.read<{ trials: TrialRecord[] }>(sql`
    select coalesce((
      select json_agg(${TRIAL_JSON} order by x.id)
      from (select * from trials x
        where x.tenant_id = e.tenant_id and x.eval_id = e.id and ${where}
        order by x.id limit ${limit}) x), '[]') as trials
    from evals e where e.id = ${evalId}`);
  return row?.trials ?? null;
}

const VERSION_JOIN = sql`join task_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id`;

/** The export covers the trials of all evals, so it has additional filters. */
const TRIAL_EXPORT_FILTERS = {
  ...TRIAL_FILTERS,
  task: (task: TaskRef) => isOfTask(sql`x.task_id`, task),
  evalId: (id: string) => sql`x.eval_id = ${id}`,
};

export type TrialExportFilter = FilterOf<typeof TRIAL_EXPORT_FILTERS>;

/** Returns a chunk of all matching trials, oldest first, including retracted ones. */
export function readTrialChunk(
  database: TenantDatabase,
  filter: TrialExportFilter,
  afterId: string | null,
): Promise<Chunk<TrialRecord, string>> {
  const condition = matches(TRIAL_EXPORT_FILTERS, filter);
  const bytes = sql`octet_length(x.error)`;
  const source = { table: sql`trials`, alias: sql`x`, bytes, condition, row: TRIAL_JSON };
  return readChunkById(database, source, afterId);
}
