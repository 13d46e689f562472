import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TaskFilter } from "../tasks/task-filter.ts";
import type { Bound } from "../connection/prepared.ts";
import { stepJson } from "../tasks/task-json.ts";
import { snapshotParts } from "./task-snapshots.ts";

// The statement that loads the facts for every decision about tasks: for one task or many, sent as text or prepared.

/** How a call names its tasks. An unknown or malformed name matches nothing. */
export interface TaskNames {
  tasks?: readonly TaskRef[];
  /**
   * A step. Loads the step itself, which need not be the current one, and its task. If the call also names the task, a
   * step of another task counts as unknown.
   */
  stepId?: string | undefined;
  /** Also loads who holds the review of the task's current step. */
  withHeldSlots?: true;
  /** A review. Loads its task and the review itself. */
  reviewId?: string;
  /** Worker runs. Loads their tasks and the runs themselves. */
  runIds?: readonly string[];
  /** The matching tasks, oldest first. Loads `loadedMax` of them, and returns the ids of up to `max` + 1. */
  matching?: { filter: TaskFilter; max: number; loadedMax: number };
  /** The task that the others duplicate. */
  duplicateOf?: TaskRef | undefined;
}

/** The parts of the load statement. A part that the call does not need is null. */
export interface LoadParts {
  /** A query for the ids of the named tasks. */
  wanted: SQL;
  /** The ids to load, out of `wanted`. */
  loaded: SQL;
  withSteps: Bound<boolean>;
  withNamedBy: Bound<boolean>;
  matchingIds: SQL;
  step: SQL;
  review: SQL;
  heldSlots: SQL;
  runs: SQL;
  duplicateOf: SQL;
  stored: SQL;
}

export function loadStatement(parts: LoadParts): SQL {
  const {
    wanted,
    loaded,
    withSteps,
    withNamedBy,
    matchingIds,
    step,
    review,
    heldSlots,
    runs,
    duplicateOf,
    stored,
  } = parts;
  return sql`
with wanted as materialized (${wanted})
select ${snapshotParts(loaded, { withSteps, withNamedBy })} as loaded, ${matchingIds} as matching_ids, ${step} as step,
  ${review} as review, ${heldSlots} as held_slots, ${runs} as runs, ${duplicateOf} as duplicate_of, ${stored} as stored`;
}

/** Selects a step of the wanted task as JSON, whether or not it is the current one. */
export function stepQuery(stepId: Bound<string>): SQL {
  return sql`(select ${stepJson(sql`x`)} from steps x join wanted on wanted.id = x.task_id where x.id = ${stepId})`;
}

/** Selects runs as a JSON array of LoadedRun. `from` gives them the alias x. */
export function runsQuery(from: SQL): SQL {
  return sql`(select json_agg(json_build_object('id', x.id, 'taskId', x.task_id, 'stepId', x.step_id, 'type', x.type,
    'state', x.state, 'attempt', x.attempt, 'offered', x.offered, 'claimed', x.lease_owner is not null,
    'verdict', x.verdict, 'result', case when x.state not in ('QUEUED', 'RUNNING') then x.result end,
    'error', case when x.state not in ('QUEUED', 'RUNNING') then x.error end,
    'heldBy', case when x.lease_until > now() then x.lease_owner end) order by x.id) from ${from})`;
}
