import { type SQL, sql } from "drizzle-orm";
import type { ReportedRun } from "../../domain/lifecycle/commands.ts";
import type { Original } from "../../domain/lifecycle/duplicates.ts";
import type { StepSnapshot, TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { finderOf, type TaskRef } from "../../domain/task-ref.ts";
import type { Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { matchingTasks } from "../tasks/task-filter.ts";
import { type LoadParts, loadStatement, runsQuery, type TaskNames } from "./load-statement.ts";
import { LOAD_TASK, oneTaskInputs, type OneInputName } from "./prepared-load.ts";
import { originalJson } from "../tasks/duplicates.ts";
import { idsOfExternalIds } from "../tasks/external-ids.ts";
import { type LoadedReview, reviewQuery } from "../reviews/load-review.ts";
import type { HeldSlot } from "../reviews/slots.ts";
import { isTask } from "../tasks/task-match.ts";
import { type SnapshotParts, snapshotsOf } from "./task-snapshots.ts";
import { storedJson } from "../connection/stored-operation.ts";
import { isUuid } from "../sql/uuid.ts";

export type { TaskNames } from "./load-statement.ts";

/** A stored run, which may belong to a step that is no longer current. */
export interface LoadedRun extends ReportedRun {
  taskId: string;
}

export interface LoadedTasks {
  /** Returns the named task; undefined if the tenant has no such task. */
  find: (ref: TaskRef) => TaskSnapshot | undefined;
  /** Every loaded task once, in id order. */
  tasks: readonly TaskSnapshot[];
  /** The ids of the tasks that match the filter; empty without a filter. */
  matchingIds: readonly string[];
  step: StepSnapshot | null;
  review: LoadedReview | null;
  heldSlots: readonly HeldSlot[];
  /** The runs of `runIds` that exist, in id order. */
  runs: readonly LoadedRun[];
  /** The task `duplicateOf`; null if there is none. */
  duplicateOf: Original | null;
  /** The operation that an earlier call with the same key stored. */
  stored: OperationRecord | null;
}

interface LoadedRow {
  loaded: SnapshotParts;
  matching_ids: string[] | null;
  step: StepSnapshot | null;
  review: LoadedReview | null;
  held_slots: HeldSlot[] | null;
  runs: LoadedRun[] | null;
  duplicate_of: Original | null;
  stored: OperationRecord | null;
}

/**
 * Loads the facts for decisions about the named tasks, and the operation stored under the call's key, in one statement
 * and one round trip. Without `withSteps`, `steps` of each task is empty: bulk targets need only the current step. With
 * `withNamedBy`, each of many tasks has the duplicates that name it; a single task always does.
 */
export async function loadTasks(
  database: TenantDatabase,
  names: TaskNames,
  {
    operation,
    withSteps = true,
    withNamedBy = false,
  }: { operation: Operation | null; withSteps?: boolean; withNamedBy?: boolean },
): Promise<LoadedTasks> {
  const one = oneTaskInputs(names, { operation, withSteps });
  const [row] =
    one === null
      ? await database.read<LoadedRow>(
          loadStatement(manyParts(names, { operation, withSteps, withNamedBy })),
        )
      : await database.readPrepared<LoadedRow, OneInputName>(LOAD_TASK, one);

  const tasks = row === undefined ? [] : snapshotsOf(row.loaded);
  return {
    find: finderOf(tasks),
    tasks,
    matchingIds: row?.matching_ids ?? [],
    step: row?.step ?? null,
    review: row?.review ?? null,
    heldSlots: row?.held_slots ?? [],
    runs: row?.runs ?? [],
    duplicateOf: row?.duplicate_of ?? null,
    stored: row?.stored ?? null,
  };
}

function manyParts(
  names: TaskNames,
  {
    operation,
    withSteps,
    withNamedBy,
  }: { operation: Operation | null; withSteps: boolean; withNamedBy: boolean },
): LoadParts {
  const { matching, reviewId, runIds, duplicateOf } = names;
  const nothing = sql`null`;
  return {
    wanted: wantedIds(names),
    loaded: loadedOf(names),
    withSteps,
    // A withdrawn review can make its task a duplicate again.
    withNamedBy: withNamedBy || reviewId !== undefined,
    matchingIds:
      matching === undefined ? nothing : sql`(select json_agg(id order by id) from wanted)`,
    step: nothing,
    review: reviewId === undefined ? nothing : reviewQuery(reviewId),
    heldSlots: nothing,
    runs:
      runIds === undefined
        ? nothing
        : runsQuery(sql`${namedIds(runIds)} join worker_runs x on x.id = named.id`),
    duplicateOf: duplicateOf === undefined ? nothing : originalJson(isTask(duplicateOf)),
    stored: storedJson(operation),
  };
}

/** Selects the ids of the named tasks. The text of the statement does not depend on their number. */
export function wantedIds({ tasks = [], reviewId, runIds, matching }: TaskNames): SQL {
  if (matching !== undefined) {
    return sql`select t.id ${matchingTasks(matching.filter)} order by t.id limit ${matching.max + 1}`;
  }
  if (reviewId !== undefined) {
    return sql`select r.task_id as id from reviews r where r.id = ${reviewId}::uuid`;
  }
  if (runIds !== undefined) {
    return sql`select distinct w.task_id as id from ${namedIds(runIds)} join worker_runs w on w.id = named.id`;
  }
  const ids = tasks.flatMap((ref) => ("id" in ref && isUuid(ref.id) ? [ref.id] : []));
  const externalIds = tasks.flatMap((ref) => ("externalId" in ref ? [ref.externalId] : []));
  return sql`
  select id from ${namedIds(ids)}
  union
  select id from (${idsOfExternalIds(externalIds)}) external`;
}

/** Ids as rows with the alias `named`. */
function namedIds(ids: readonly string[]): SQL {
  return sql`json_array_elements_text(${JSON.stringify(ids)}) as given(name), lateral (select name::uuid as id) named`;
}

/** The tasks to load out of `wanted`. */
function loadedOf({ matching }: TaskNames): SQL {
  return matching === undefined
    ? sql`wanted`
    : sql`(select id from wanted order by id limit ${matching.loadedMax})`;
}
