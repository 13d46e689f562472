import { type SQL, sql } from "drizzle-orm";
import type { ModelScores, PairGroup } from "../../domain/evals/summary.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { matchingTasks, type TaskFilter } from "../tasks/task-filter.ts";
import { allOf } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";

/** The maximum of models in a summary: the first by name. */
export const SUMMARY_MODELS_MAX = 100;
/** The maximum of tasks that a summary reads: the newest that match. */
export const SUMMARY_TASKS_MAX = 50_000;

export interface EvalScores {
  evalId: string;
  k: number;
  models: ModelScores[];
  modelsTruncated: boolean;
}

/** Returns the scores of each model in one eval; null if there is no such eval. Ignores retracted trials. */
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

/** Selects the evals of a summary. */
export interface SummaryScope {
  filter: TaskFilter;
  /** Only evals of this name. Default: all. */
  name: string | undefined;
  /** Only these models. Default: all. */
  models: readonly string[] | undefined;
}

export interface ScopeScores {
  /** The largest k of the evals; 0 if there are none. */
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
  /** Counts of tasks by their scores with both models, if exactly two models were requested; otherwise empty. */
  pairs: PairGroup[];
}

/**
 * Returns the scores of each model over many evals, with one score per task. A task contributes only its newest version
 * that has a matching eval, because an older version was a different task. Ignores cancelled evals.
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
limited as materialized (select * from matched order by id desc limit ${SUMMARY_TASKS_MAX}),
found as materialized (
  select e.tenant_id, e.id, e.task_id, e.k from (
    select e.*, rank() over (partition by e.task_id order by v.number desc) as age
    -- One index lookup per task: Postgres may plan a join as a scan of the tenant's evals.
    from limited cross join lateral (
      select * from evals where tenant_id = limited.tenant_id and task_id = limited.id offset 0
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
  ) both_counted group by n, c, other_n, other_c
)
select (select coalesce(max(k), 0) from found) as k,
  json_build_object('tasksMatched', (select count(*) from limited),
    'tasksWithEval', (select count(distinct task_id) from found), 'evals', (select count(*) from found),
    'tasksScored', (select count(distinct task_id) from tallies where n > 0)) as coverage,
  (select count(*) from matched) > ${SUMMARY_TASKS_MAX} as "tasksTruncated",
  coalesce((select json_agg(json_build_object('one', json_build_object('n', n, 'c', c),
    'other', json_build_object('n', other_n, 'c', other_c), 'tasks', tasks) order by n, c, other_n, other_c)
    from pairs), '[]') as pairs,
  ${MODELS}`);
  if (row === undefined) throw new Error("A query without FROM returns one row");
  return row;
}

/**
 * The CTEs from `found`, the evals, to their scores. `tallies` has the score of each model on each task, and `groups`
 * counts the tasks with the same score. Each CTE is computed once, no matter how many tasks and models there are.
 */
function scores(modelCondition: SQL | false): SQL {
  const isCounted = allOf(
    sql`r.tenant_id = e.tenant_id and r.eval_id = e.id and r.retracted_at is null`,
    modelCondition,
  );
  return sql`counted as materialized (
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
  from counted group by task_id, model
),
groups as materialized (
  select model, n, c, count(*)::int as tasks, sum(errored)::int as errored from tallies group by model, n, c
),
revisions as materialized (
  select distinct model, revision from counted, unnest(revisions) revision where revision is not null
),
shown as materialized (select distinct model from groups order by model limit ${SUMMARY_MODELS_MAX + 1})`;
}

/** Each model with its counts of tasks by score. The tasks themselves are not listed, because only scores matter. */
const MODELS = sql`(select count(*) from shown) > ${SUMMARY_MODELS_MAX} as "modelsTruncated",
  coalesce((select json_agg(json_build_object('model', m.model,
    'modelRevisions', (select coalesce(json_agg(r.revision order by r.revision), '[]')
      from revisions r where r.model = m.model),
    'errored', (select sum(g.errored) from groups g where g.model = m.model),
    'groups', (select coalesce(json_agg(json_build_object('n', g.n, 'c', g.c, 'tasks', g.tasks)
      order by g.n, g.c), '[]') from groups g where g.model = m.model and g.n > 0)
  ) order by m.model) from (select model from shown order by model limit ${SUMMARY_MODELS_MAX}) m), '[]') as models`;
