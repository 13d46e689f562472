import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "./prepared.ts";
import { stepJson } from "./task-json.ts";
import { snapshotParts } from "./task-snapshots.ts";

// The statement that every decision about tasks begins with, for one task or many, bound or prepared.

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

/** Runs under the alias x, as rows of `StoredRun`. */
export function runsQuery(from: SQL): SQL {
  return sql`(select json_agg(json_build_object('id', x.id, 'taskId', x.task_id, 'stepId', x.step_id, 'type', x.type,
    'state', x.state, 'attempt', x.attempt, 'offered', x.offered,
    'heldBy', case when x.lease_until > now() then x.lease_owner end) order by x.id) from ${from})`;
}
