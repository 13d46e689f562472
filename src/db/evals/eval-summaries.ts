import { type SQL, sql } from "drizzle-orm";
import { MODEL_ALONE, type SlotBy } from "../../domain/evals/slot.ts";
import type { ModelScores, PairGroup } from "../../domain/evals/summary.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { IS_LIVE } from "./live.ts";
import { matchingTasks, type TaskFilter } from "../tasks/task-filter.ts";
import { allOf } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";

/** The maximum of models in a summary, or of other slots: the first by name. */
export const SUMMARY_MODELS_MAX = 100;
/** The maximum of tasks that a summary reads: the newest that match. */
export const SUMMARY_TASKS_MAX = 50_000;
/** The maximum of different scores that a summary reads. With more, it has their mean and deviation only. */
const SCORE_VALUES_MAX = 20_000;

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
  const [row] = await database.read<Slotted<EvalScores>>(sql`
with found as materialized (
  select e.tenant_id, e.id, e.task_id, e.k, e.slot_by from evals e where e.id = ${evalId}
),
${scores(false)}
select found.id as "evalId", found.k, ${MODELS} from found`);
  return row === undefined ? null : { ...row, models: row.models.map(namedSlot) };
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
    tasksWithScore: number;
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
 * that has a matching eval, because an older version was a different task. Ignores cancelled evals and marked twins.
 */
export async function findScopeScores(
  database: TenantDatabase,
  { filter, name, models }: SummaryScope,
): Promise<ScopeScores> {
  const isCounted = allOf(IS_LIVE, name !== undefined && sql`e.name = ${name}`);
  const [one, other] = models?.length === 2 ? models : [];
  const [row] = await database.read<Slotted<ScopeScores>>(sql`
with matched as materialized (
  select t.tenant_id, t.id ${matchingTasks(filter)} order by t.id desc limit ${SUMMARY_TASKS_MAX + 1}
),
limited as materialized (select * from matched order by id desc limit ${SUMMARY_TASKS_MAX}),
found as materialized (
  select e.tenant_id, e.id, e.task_id, e.k, e.slot_by from (
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
    from tallies where ${one !== undefined} group by task_id
    having count(*) = 2 and count(distinct model) = 2
  ) both_counted group by n, c, other_n, other_c
)
select (select coalesce(max(k), 0) from found) as k,
  json_build_object('tasksMatched', (select count(*) from limited),
    'tasksWithEval', (select count(distinct task_id) from found), 'evals', (select count(*) from found),
    'tasksScored', (select count(distinct task_id) from tallies where n > 0),
    'tasksWithScore', (select count(distinct task_id) from score_tasks)) as coverage,
  (select count(*) from matched) > ${SUMMARY_TASKS_MAX} as "tasksTruncated",
  coalesce((select json_agg(json_build_object('one', json_build_object('n', n, 'c', c),
    'other', json_build_object('n', other_n, 'c', other_c), 'tasks', tasks) order by n, c, other_n, other_c)
    from pairs), '[]') as pairs,
  ${MODELS}`);
  if (row === undefined) throw new Error("A query without FROM returns one row");
  return { ...row, models: row.models.map(namedSlot) };
}

/** A slot as the database has it: the members that distinguish trials, and their values. Both are null for the model alone. */
interface StoredSlot {
  slotBy: SlotBy | null;
  slot: (string | null)[] | null;
}

type Slotted<Scores extends { models: ModelScores[] }> = Omit<Scores, "models"> & {
  models: (Omit<ModelScores, "slot"> & StoredSlot)[];
};

/** Returns the results of a slot with its values by their names. */
function namedSlot({
  slotBy,
  slot,
  ...scores
}: Omit<ModelScores, "slot"> & StoredSlot): ModelScores {
  const values = slot ?? [scores.model];
  const named: ModelScores["slot"] = {};
  for (const [index, member] of (slotBy ?? MODEL_ALONE).entries()) {
    named[member] = values[index] ?? null;
  }
  return { ...scores, slot: named };
}

// Postgres refuses a result that is too large for a double, and one that is too small. So sums are of scaled scores, and
// those next to zero count as zero, unless all scores are equal.
const SCALED_SCORE = sql`case when abs(s.score) < 1e-280 then 0 else s.score / 1048576 end`;

/** The mean of the scores of alias s. It lies between them, whatever the rounding. */
const MEAN_SCORE = sql`case when min(s.score) = max(s.score) then min(s.score)
    else least(greatest(sum(${SCALED_SCORE}) / count(*), min(${SCALED_SCORE})), max(${SCALED_SCORE})) * 1048576 end`;

/**
 * The CTEs from `found`, the evals, to their scores. `tallies` has the verdicts of each slot on each task, and `groups`
 * counts the tasks with the same ones. `score_tasks` has the mean score of each slot on each task, and `unit` the scores
 * that a summary of the slot is over. Each CTE is computed once, no matter how many tasks and models there are.
 */
function scores(modelCondition: SQL | false): SQL {
  const isCounted = allOf(
    sql`r.tenant_id = e.tenant_id and r.eval_id = e.id and r.retracted_at is null`,
    modelCondition,
  );
  return sql`counted as materialized (
  select e.task_id, json_build_array(r.model, e.slot_by, r.slot)::text as entry, r.model, r.n, r.c, r.errored,
    r.revisions, r.scores
  from found e cross join lateral (
    select r.model, r.slot, count(*) filter (where r.status in ('passed', 'failed'))::int as n,
      count(*) filter (where r.status = 'passed')::int as c,
      count(*) filter (where r.status = 'errored')::int as errored,
      array_agg(distinct r.model_revision) as revisions,
      array_agg(r.score) filter (where r.score is not null and r.status in ('passed', 'failed', 'scored')) as scores
    from trials r
    where ${isCounted}
    group by r.model, r.slot
  ) r
),
tallies as materialized (
  select task_id, entry, model, sum(n)::int as n, sum(c)::int as c, sum(errored)::int as errored
  from counted group by task_id, entry, model
),
groups as materialized (
  select entry, model, n, c, count(*)::int as tasks, sum(errored)::int as errored
  from tallies group by entry, model, n, c
),
revisions as materialized (
  select distinct entry, revision from counted, unnest(revisions) revision where revision is not null
),
score_trials as materialized (
  select entry, task_id, score from counted, unnest(scores) score
),
score_tasks as materialized (
  select s.entry, s.task_id, count(*)::int as n, ${MEAN_SCORE} as mean from score_trials s group by s.entry, s.task_id
),
score_sizes as materialized (
  select entry, sum(n)::int as n, count(*)::int as tasks from score_tasks group by entry
),
-- The trials of the only task, or the tasks, with the largest value of the slot: divided by it, no square overflows.
unit as materialized (
  select entry, value, max(abs(value)) over (partition by entry) as largest from (
    select t.entry, t.mean as value from score_tasks t join score_sizes z using (entry) where z.tasks > 1
    union all
    select r.entry, r.score from score_trials r join score_sizes z using (entry) where z.tasks = 1) of_entry
),
score_moments as materialized (
  select entry, avg(scaled) * max(largest) as mean,
    case when count(*) > 1 then least(stddev_samp(scaled) / sqrt(count(*)), 1) * max(largest) end as standard_error,
    min(value) as lowest, max(value) as highest
  from (select entry, value, largest, case when largest < 1e-280 then 0
      when abs(value) <= largest * 1e-20 then 0 else value / largest end as scaled from unit) of_entry
  group by entry
),
score_values as materialized (
  select entry, value, count(*)::int as units from unit group by entry, value
),
shown as materialized (
  select distinct model, entry from groups order by model, entry limit ${SUMMARY_MODELS_MAX + 1}
)`;
}

/** Each slot with its counts of tasks by score. The tasks themselves are not listed, because only scores matter. */
const MODELS = sql`(select count(*) from shown) > ${SUMMARY_MODELS_MAX} as "modelsTruncated",
  coalesce((select json_agg(json_build_object('model', m.model,
    'slotBy', m.entry::json -> 1, 'slot', (m.entry::json ->> 2)::json,
    'modelRevisions', (select coalesce(json_agg(r.revision order by r.revision), '[]')
      from revisions r where r.entry = m.entry),
    'errored', (select sum(g.errored) from groups g where g.entry = m.entry),
    'groups', (select coalesce(json_agg(json_build_object('n', g.n, 'c', g.c, 'tasks', g.tasks)
      order by g.n, g.c), '[]') from groups g where g.entry = m.entry and g.n > 0),
    'scores', (select json_build_object('n', z.n, 'tasks', z.tasks, 'mean', s.mean,
        'standardError', s.standard_error, 'lowest', s.lowest, 'highest', s.highest, 'values', case when (select count(*) from score_values) <= ${SCORE_VALUES_MAX}
          then (select json_agg(json_build_object('value', v.value, 'units', v.units) order by v.value)
            from score_values v where v.entry = m.entry) end)
      from score_sizes z join score_moments s using (entry) where z.entry = m.entry)
  ) order by m.model, m.entry) from (select model, entry from shown order by model, entry
    limit ${SUMMARY_MODELS_MAX}) m), '[]') as models`;
