import { type SQL, sql } from "drizzle-orm";
import type { ReportedRun } from "../../domain/lifecycle/commands.ts";
import type { StepSnapshot, TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { matchingTasks } from "../tasks/task-filter.ts";
import { type LoadParts, loadStatement, runsQuery, type TaskNames } from "./load-statement.ts";
import { LOAD_TASK, oneTaskInputs, type OneInputName } from "./prepared-load.ts";
import { isTask } from "../tasks/task-match.ts";
import { type SnapshotParts, snapshotsOf } from "./task-snapshots.ts";
import { storedJson } from "../connection/transaction.ts";
import { isUuid } from "../sql/uuid.ts";

export type { TaskNames } from "./load-statement.ts";

/** A run as it is stored, whatever became of its step. */
export interface LoadedRun extends ReportedRun {
  taskId: string;
}

export interface LoadedTasks {
  /** The task that a call named; undefined where nothing of this tenant goes by that name. */
  find: (ref: TaskRef) => TaskSnapshot | undefined;
  /** Every task that was found, once, by id. */
  tasks: readonly TaskSnapshot[];
  /** The ids of all that match; empty where tasks were named. */
  matchingIds: readonly string[];
  step: StepSnapshot | null;
  /** Those of `runIds` that were found, by id. */
  runs: readonly LoadedRun[];
  /** The id of `duplicateOf`. */
  duplicateOf: string | null;
  /** What an earlier call under the same key stored. */
  stored: OperationRecord | null;
}

interface LoadedRow {
  loaded: SnapshotParts;
  matching_ids: string[] | null;
  step: StepSnapshot | null;
  runs: LoadedRun[] | null;
  duplicate_of: string | null;
  stored: OperationRecord | null;
}

/**
 * Loads all that decisions about the named tasks may look at, and what the ledger has under the call's key: one
 * statement, one round trip. Bulk targets look at the current step alone and leave `steps` empty.
 */
export async function loadTasks(
  database: TenantDatabase,
  names: TaskNames,
  { operation, withSteps = true }: { operation: Operation | null; withSteps?: boolean },
): Promise<LoadedTasks> {
  const one = oneTaskInputs(names, { operation, withSteps });
  const [row] =
    one === null
      ? await database.read<LoadedRow>(loadStatement(manyParts(names, { operation, withSteps })))
      : await database.readPrepared<LoadedRow, OneInputName>(LOAD_TASK, one);

  const tasks = row === undefined ? [] : snapshotsOf(row.loaded);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const byExternalId = new Map(tasks.map((task) => [task.externalId, task]));
  return {
    find: (ref) => ("id" in ref ? byId.get(ref.id) : byExternalId.get(ref.externalId)),
    tasks,
    matchingIds: row?.matching_ids ?? [],
    step: row?.step ?? null,
    runs: row?.runs ?? [],
    duplicateOf: row?.duplicate_of ?? null,
    stored: row?.stored ?? null,
  };
}

function manyParts(
  names: TaskNames,
  { operation, withSteps }: { operation: Operation | null; withSteps: boolean },
): LoadParts {
  const { matching, runIds, duplicateOf } = names;
  const nothing = sql`null`;
  return {
    wanted: wantedIds(names),
    loaded: loadedOf(names),
    withSteps,
    matchingIds:
      matching === undefined ? nothing : sql`(select json_agg(id order by id) from wanted)`,
    step: nothing,
    runs:
      runIds === undefined
        ? nothing
        : runsQuery(sql`${namedIds(runIds)} join worker_runs x on x.id = named.id`),
    duplicateOf:
      duplicateOf === undefined
        ? nothing
        : sql`(select t.id from tasks t where ${isTask(duplicateOf)})`,
    stored: storedJson(operation),
  };
}

/** The ids of the tasks that a call names; the same text for any number of them. */
export function wantedIds({ tasks = [], runIds, matching }: TaskNames): SQL {
  if (matching !== undefined) {
    return sql`select t.id ${matchingTasks(matching.filter)} order by t.id limit ${matching.max + 1}`;
  }
  if (runIds !== undefined) {
    return sql`select distinct w.task_id as id from ${namedIds(runIds)} join worker_runs w on w.id = named.id`;
  }
  const ids = tasks.flatMap((ref) => ("id" in ref && isUuid(ref.id) ? [ref.id] : []));
  const externalIds = tasks.flatMap((ref) => ("externalId" in ref ? [ref.externalId] : []));
  return sql`
  select id from ${namedIds(ids)}
  union
  select t.id from json_array_elements_text(${JSON.stringify(externalIds)}) as asked(name)
    join tasks t on t.external_id = asked.name`;
}

/** Ids as rows, under the alias `named`. */
function namedIds(ids: readonly string[]): SQL {
  return sql`json_array_elements_text(${JSON.stringify(ids)}) as asked(name), lateral (select name::uuid as id) named`;
}

/** Those of the wanted tasks that are loaded at once. */
function loadedOf({ matching }: TaskNames): SQL {
  return matching === undefined
    ? sql`wanted`
    : sql`(select id from wanted order by id limit ${matching.loadedMax})`;
}
