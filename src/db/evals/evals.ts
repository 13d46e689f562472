import { type SQL, sql } from "drizzle-orm";
import type { EvalStatus, TrialStatus } from "../../domain/evals/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { type Chunk, readChunkById } from "../sql/chunks.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { EVAL_JSON, type EvalRecord, TRIAL_JSON, type TrialRecord } from "./eval-json.ts";
import { isTask } from "../tasks/task-match.ts";

/** Which evals a list shows: those that match every filter that is given. */
export interface EvalFilter {
  task?: TaskRef | undefined;
  name?: string | undefined;
  status?: EvalStatus | undefined;
  /** A model that a live trial of the eval is of. */
  model?: string | undefined;
}

/** One eval; null where there is none. */
export async function findEval(
  database: TenantDatabase,
  evalId: string,
): Promise<EvalRecord | null> {
  const [row] = await database.read<{ eval: EvalRecord }>(sql`
    select ${EVAL_JSON} as eval from evals e ${VERSION_JOIN} where e.id = ${evalId}`);
  return row?.eval ?? null;
}

/** A page of evals, newest first. */
export async function listEvals(
  database: TenantDatabase,
  { task, name, status, model }: EvalFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<EvalRecord[]> {
  const where = allOf([
    task &&
      sql`exists (select from tasks t where t.tenant_id = e.tenant_id and t.id = e.task_id and ${isTask(task)})`,
    name !== undefined && sql`e.name = ${name}`,
    status !== undefined && sql`e.status = ${status}`,
    model !== undefined &&
      sql`exists (select from trials x where x.tenant_id = e.tenant_id and x.eval_id = e.id
        and x.model = ${model} and x.retracted_at is null)`,
    after !== null && sql`e.id < ${after}`,
  ]);
  const rows = await database.read<{ eval: EvalRecord }>(sql`
    select ${EVAL_JSON} as eval from evals e ${VERSION_JOIN}
    where ${where} order by e.id desc limit ${limit}`);
  return rows.map((row) => row.eval);
}

/** Which trials of an eval a list shows. */
export interface TrialFilter {
  model?: string | undefined;
  status?: TrialStatus | undefined;
  /** true: the retracted ones; false: the live ones; otherwise all. */
  retracted?: boolean | undefined;
}

/** A page of an eval's trials, oldest first; null where there is no such eval. */
export async function listTrials(
  database: TenantDatabase,
  { evalId, ...filter }: TrialFilter & { evalId: string },
  { limit, after }: { limit: number; after: string | null },
): Promise<TrialRecord[] | null> {
  const where = allOf([...trialConditions(filter), after !== null && sql`x.id > ${after}`]);
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

/** Which trials are exported: those that match every filter that is given. */
export interface TrialExportFilter extends TrialFilter {
  task?: TaskRef | undefined;
  evalId?: string | undefined;
}

/** A chunk of all trials that match, retracted ones too, in the order of their recording. */
export function readTrialChunk(
  database: TenantDatabase,
  { task, evalId, ...filter }: TrialExportFilter,
  afterId: string | null,
): Promise<Chunk<TrialRecord, string>> {
  const condition = allOf([
    task && sql`x.task_id = (select t.id from tasks t where ${isTask(task)})`,
    evalId !== undefined && sql`x.eval_id = ${evalId}`,
    ...trialConditions(filter),
  ]);
  const bytes = sql`octet_length(x.error)`;
  const source = { table: sql`trials`, alias: sql`x`, bytes, condition, row: TRIAL_JSON };
  return readChunkById(database, source, afterId);
}

function trialConditions({ model, status, retracted }: TrialFilter): (SQL | false)[] {
  return [
    model !== undefined && sql`x.model = ${model}`,
    status !== undefined && sql`x.status = ${status}`,
    retracted !== undefined && sql`(x.retracted_at is not null) = ${retracted}`,
  ];
}

/** The conditions that are there, joined. */
export function allOf(conditions: readonly (SQL | false | undefined)[]): SQL {
  const given = conditions.filter((condition) => condition !== false && condition !== undefined);
  return sql.join([sql`true`, ...given], sql` and `);
}
