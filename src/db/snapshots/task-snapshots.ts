import { type SQL, sql } from "drizzle-orm";
import type { RunFact, StepSnapshot, TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { isOfVersion, type Pipeline } from "../../domain/pipelines/pipelines.ts";
import type { ReviewOutcome } from "../../domain/lifecycle/statuses.ts";
import { PREVENTS_ANOTHER } from "../dispatches/dispatch-sql.ts";
import type { Bound } from "../connection/prepared.ts";
import { NAMED_TASKS } from "../tasks/duplicates.ts";
import { stepJson, TASK_FIELDS, TASK_JOINS } from "../tasks/task-json.ts";

// Snapshots of many tasks. Each table is read once for all of them, and the rows are joined here: looking up the four
// other tables task by task would cost several times as much as the tasks themselves.

/** The rows that snapshots are built from, as the JSON object that `snapshotParts` selects. */
export interface SnapshotParts {
  tasks: Omit<
    TaskSnapshot,
    "steps" | "reviewSequence" | "reviews" | "openRuns" | "alreadyDispatched" | "namedBy"
  >[];
  /** The reviews of the current steps that are not withdrawn. */
  reviews: { stepId: string; sequence: number; outcome: ReviewOutcome }[];
  /** The newest review of each task, of any step. */
  newestReviews: { taskId: string; sequence: number }[];
  runs: (RunFact & { stepId: string })[];
  dispatches: { versionId: string; stepId: string; pipeline: Pipeline }[];
  steps: StepSnapshot[];
  /** The duplicates that name the tasks. */
  named: { taskId: string; id: string }[];
}

/**
 * Selects the parts of the snapshots of the tasks with the ids in `wanted`, in id order. Without `withSteps`, `steps`
 * is empty: bulk targets need only the current step. Without `withNamedBy`, so is `namedBy`: only a move that makes a
 * task a duplicate needs it.
 */
export function snapshotParts(
  wanted: SQL,
  { withSteps, withNamedBy }: Record<"withSteps" | "withNamedBy", Bound<boolean>>,
): SQL {
  const ids = sql`any (array(select id from loaded))`;
  const stepIds = sql`any (array(select step_id from loaded))`;
  return sql`(with loaded as materialized (
    select t.id, s.id as step_id, v.id as version_id, json_build_object(${TASK_FIELDS}) as task
    from ${wanted} wanted join tasks t on t.id = wanted.id ${TASK_JOINS}
  )
  select json_build_object(
    'tasks', ${rowsOf(sql`l.task`, sql`loaded l`, sql`l.id`)},
    'reviews', ${rowsOf(
      sql`json_build_object('stepId', r.step_id, 'sequence', r.sequence, 'outcome', r.outcome)`,
      sql`reviews r where r.step_id = ${stepIds} and r.withdrawn_seq is null`,
      sql`r.sequence`,
    )},
    'newestReviews', ${rowsOf(
      sql`json_build_object('taskId', n.task_id, 'sequence', n.sequence)`,
      sql`(select task_id, max(sequence) as sequence from reviews where task_id = ${ids} group by task_id) n`,
      sql`n.task_id`,
    )},
    'runs', ${rowsOf(
      sql`json_build_object('stepId', w.step_id, 'id', w.id, 'type', w.type, 'state', w.state)`,
      sql`worker_runs w where w.step_id = ${stepIds} and w.state in ('QUEUED', 'RUNNING')`,
      sql`w.id`,
    )},
    'dispatches', ${rowsOf(
      sql`json_build_object('versionId', d.version_id, 'stepId', d.step_id, 'pipeline', d.pipeline)`,
      sql`pipeline_dispatches d where d.task_id = ${ids} and ${PREVENTS_ANOTHER}`,
      sql`d.id`,
    )},
    'steps', case when ${withSteps}::boolean then ${rowsOf(
      stepJson(sql`o`),
      sql`steps o where o.version_id = any (array(select version_id from loaded))`,
      sql`o.id`,
    )} else '[]' end,
    'named', case when ${withNamedBy}::boolean then ${NAMED_TASKS} else '[]' end))`;
}

function rowsOf(row: SQL, from: SQL, order: SQL): SQL {
  return sql`coalesce((select json_agg(${row} order by ${order}) from ${from}), '[]')`;
}

/** Builds the snapshots from the parts that `snapshotParts` selected. */
export function snapshotsOf(parts: SnapshotParts): TaskSnapshot[] {
  const reviews = Map.groupBy(parts.reviews, ({ stepId }) => stepId);
  const newest = new Map(parts.newestReviews.map(({ taskId, sequence }) => [taskId, sequence]));
  const runs = Map.groupBy(parts.runs, ({ stepId }) => stepId);
  const dispatches = Map.groupBy(parts.dispatches, ({ versionId }) => versionId);
  const steps = Map.groupBy(parts.steps, ({ versionId }) => versionId);
  const named = Map.groupBy(parts.named, ({ taskId }) => taskId);
  return parts.tasks.map((task) => {
    const { id, step, version } = task;
    const open = (dispatches.get(version.id) ?? []).filter(
      ({ pipeline, stepId }) => isOfVersion(pipeline) || stepId === step.id,
    );
    return {
      ...task,
      reviews: (reviews.get(step.id) ?? []).map(({ sequence, outcome }) => ({ sequence, outcome })),
      openRuns: (runs.get(step.id) ?? []).map(({ id: runId, type, state }) => ({
        id: runId,
        type,
        state,
      })),
      steps: steps.get(version.id) ?? [],
      reviewSequence: newest.get(id) ?? 0,
      alreadyDispatched: [...new Set(open.map(({ pipeline }) => pipeline))].toSorted(),
      namedBy: (named.get(id) ?? []).map((duplicate) => duplicate.id),
    };
  });
}
