import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TaskFilter } from "../tasks/task-filter.ts";
import type { Bound } from "../connection/prepared.ts";
import { stepJson } from "../tasks/task-json.ts";
import { snapshotParts } from "./task-snapshots.ts";

// The statement that every decision about tasks begins with, for one task or many, bound or prepared.

/** How a call names what it is about. Names that mean nothing find nothing. */
export interface TaskNames {
  tasks?: readonly TaskRef[];
  /** A step: its task is loaded, and the step itself, which need not be the current one. */
  stepId?: string;
  /** Worker runs: their tasks are loaded, and the runs themselves. */
  runIds?: readonly string[];
  /** Those that match, the oldest first: `loadedMax` of them are loaded, and up to `max` and one more are told. */
  matching?: { filter: TaskFilter; max: number; loadedMax: number };
  /** The task that others duplicate: looked up beside them, not loaded. */
  duplicateOf?: TaskRef | undefined;
}

/** What a load finds beside the tasks; what a call does not ask for is null. */
export interface LoadParts {
  /** A query for the ids of what is named. */
  wanted: SQL;
  /** Those of them that are loaded. */
  loaded: SQL;
  withSteps: Bound<boolean>;
  matchingIds: SQL;
  step: SQL;
  runs: SQL;
  duplicateOf: SQL;
  stored: SQL;
}

export function loadStatement(parts: LoadParts): SQL {
  const { wanted, loaded, withSteps, matchingIds, step, runs, duplicateOf, stored } = parts;
  return sql`
with wanted as materialized (${wanted})
select ${snapshotParts(loaded, { withSteps })} as loaded, ${matchingIds} as matching_ids, ${step} as step,
  ${runs} as runs, ${duplicateOf} as duplicate_of, ${stored} as stored`;
}

/** A step, whether or not its task stands at it. */
export function stepQuery(stepId: Bound<string>): SQL {
  return sql`(select ${stepJson(sql`x`)} from steps x where x.id = ${stepId})`;
}

/** Runs under the alias x, as rows of `LoadedRun`. */
export function runsQuery(from: SQL): SQL {
  return sql`(select json_agg(json_build_object('id', x.id, 'taskId', x.task_id, 'stepId', x.step_id, 'type', x.type,
    'state', x.state, 'attempt', x.attempt, 'offered', x.offered,
    'heldBy', case when x.lease_until > now() then x.lease_owner end) order by x.id) from ${from})`;
}
