import { type SQL, sql } from "drizzle-orm";
import type { ModelScores, PairGroup } from "../../domain/evals/summary.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { matchingTasks, type TaskFilter } from "../tasks/task-filter.ts";
import { allOf } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";

/** One summary tells of at most so many models: the first by name. */
export const SUMMARY_MODELS_MAX = 100;
/** One summary looks at so many tasks at most: the newest of those that match. */
export const SUMMARY_TASKS_MAX = 50_000;

export interface EvalScores {
  evalId: string;
  k: number;
  models: ModelScores[];
  modelsTruncated: boolean;
}

/** What the trials of one evaluation came to; null where there is none. Retracted trials count for nothing. */
export async function findEvalScores(
  database: TenantDatabase,
  evalId: string,
): Promise<EvalScores | null> {
  const [row] = await database.read<EvalScores>(sql`
with found as materialized (select e.tenant_id, e.id, e.task_id, e.k from evals e where e.id = ${evalId}),
${scores(false)}
select found.id as "evalId", found.k, ${MODELS} from found`);
  return row ?? null;
}

/** Which evaluations a summary is of. */
export interface SummaryScope {
  filter: TaskFilter;
  /** Evaluations of this name; of any where none is given. */
  name: string | undefined;
  /** These models alone, or all. */
  models: readonly string[] | undefined;
}

export interface ScopeScores {
  /** The largest of the evaluations; 0 where there is none. */
  k: number;
  coverage: {
    tasksMatched: number;
    tasksWithEval: number;
    tasksScored: number;
    evals: number;
  };
  tasksTruncated: boolean;
  models: ModelScores[];
  modelsTruncated: boolean;
  /** Tasks by their scores of the two models, where two were asked for; otherwise none. */
  pairs: PairGroup[];
}

/**
 * What the trials of many evaluations came to, task by task. Of a task it is those of the newest version that was
 * evaluated so: an older version was another task. Cancelled evaluations count for nothing.
 */
export async function findScopeScores(
  database: TenantDatabase,
  { filter, name, models }: SummaryScope,
): Promise<ScopeScores> {
  const isCounted = allOf(
    sql`e.status <> 'cancelled'`,
    name !== undefined && sql`e.name = ${name}`,
  );
  const [one, other] = models?.length === 2 ? models : [];
  const [row] = await database.read<ScopeScores>(sql`
with matched as materialized (
  select t.tenant_id, t.id ${matchingTasks(filter)} order by t.id desc limit ${SUMMARY_TASKS_MAX + 1}
),
taken as materialized (select * from matched order by id desc limit ${SUMMARY_TASKS_MAX}),
found as materialized (
  select e.tenant_id, e.id, e.task_id, e.k from (
    select e.*, rank() over (partition by e.task_id order by v.number desc) as age
    -- One look for each task, by the index that it has: a join may be planned as a scan of the tenant's evals.
    from taken cross join lateral (
      select * from evals where tenant_id = taken.tenant_id and task_id = taken.id offset 0
    ) e
    join task_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id
    where ${isCounted}
  ) e where age = 1
),
${scores(models !== undefined && sql`r.model in (${listed(models)})`)},
pairs as (
  select n, c, other_n, other_c, count(*)::int as tasks from (
    select max(n) filter (where model = ${one ?? null}::text) as n, max(c) filter (where model = ${one ?? null}::text) as c,
      max(n) filter (where model = ${other ?? null}::text) as other_n,
      max(c) filter (where model = ${other ?? null}::text) as other_c
    from tallies where ${one !== undefined} group by task_id having count(*) = 2
  ) both_tried group by n, c, other_n, other_c
)
select (select coalesce(max(k), 0) from found) as k,
  json_build_object('tasksMatched', (select count(*) from taken),
    'tasksWithEval', (select count(distinct task_id) from found), 'evals', (select count(*) from found),
    'tasksScored', (select count(distinct task_id) from tallies where n > 0)) as coverage,
  (select count(*) from matched) > ${SUMMARY_TASKS_MAX} as "tasksTruncated",
  coalesce((select json_agg(json_build_object('one', json_build_object('n', n, 'c', c),
    'other', json_build_object('n', other_n, 'c', other_c), 'tasks', tasks) order by n, c, other_n, other_c)
    from pairs), '[]') as pairs,
  ${MODELS}`);
  if (row === undefined) throw new Error("A summary has one row, whatever it finds");
  return row;
}

/**
 * The CTEs from `found`, the evaluations, to their scores: `tallies` says what each model came to at each task, `groups`
 * counts the tasks with the same score. Each reads the one before once, however many tasks and models there are.
 */
function scores(isOfModels: SQL | false): SQL {
  const isCounted = allOf(
    sql`r.tenant_id = e.tenant_id and r.eval_id = e.id and r.retracted_at is null`,
    isOfModels,
  );
  return sql`tried as materialized (
  select e.task_id, r.* from found e cross join lateral (
    select r.model, count(*) filter (where r.status in ('passed', 'failed'))::int as n,
      count(*) filter (where r.status = 'passed')::int as c,
      count(*) filter (where r.status = 'errored')::int as errored,
      array_agg(distinct r.model_revision) as revisions
    from trials r
    where ${isCounted}
    group by r.model
  ) r
),
tallies as materialized (
  select task_id, model, sum(n)::int as n, sum(c)::int as c, sum(errored)::int as errored
  from tried group by task_id, model
),
groups as materialized (
  select model, n, c, count(*)::int as tasks, sum(errored)::int as errored from tallies group by model, n, c
),
revisions as materialized (
  select distinct model, revision from tried, unnest(revisions) revision where revision is not null
),
shown as materialized (select distinct model from groups order by model limit ${SUMMARY_MODELS_MAX + 1})`;
}

/** Each model with its tasks counted by score: where nothing but the scores matters, no task need be named. */
const MODELS = sql`(select count(*) from shown) > ${SUMMARY_MODELS_MAX} as "modelsTruncated",
  coalesce((select json_agg(json_build_object('model', m.model,
    'modelRevisions', (select coalesce(json_agg(r.revision order by r.revision), '[]')
      from revisions r where r.model = m.model),
    'errored', (select sum(g.errored) from groups g where g.model = m.model),
    'groups', (select coalesce(json_agg(json_build_object('n', g.n, 'c', g.c, 'tasks', g.tasks)
      order by g.n, g.c), '[]') from groups g where g.model = m.model and g.n > 0)
  ) order by m.model) from (select model from shown order by model limit ${SUMMARY_MODELS_MAX}) m), '[]') as models`;
