import { type SQL, sql } from "drizzle-orm";
import type { ReportedRun } from "../domain/lifecycle/commands.ts";
import type { StepSnapshot, TaskSnapshot } from "../domain/lifecycle/snapshot.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import type { Operation, StoredOperation, TenantDatabase } from "./client.ts";
import { matchingTasks, type TaskFilter } from "./list-tasks.ts";
import type { Bound, PreparedRead } from "./prepared.ts";
import { isTask } from "./task-match.ts";
import { stepJson } from "./task-json.ts";
import { type SnapshotParts, snapshotParts, snapshotsOf } from "./task-snapshots.ts";
import { storedJson } from "./transaction.ts";
import { isUuid } from "./uuid.ts";

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

/** A run as it is stored, whatever became of its step. */
export interface StoredRun extends ReportedRun {
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
  runs: readonly StoredRun[];
  /** The id of `duplicateOf`. */
  duplicateOf: string | null;
  /** What an earlier call under the same key stored. */
  stored: StoredOperation | null;
}

interface LoadedRow {
  loaded: SnapshotParts;
  matching_ids: string[] | null;
  step: StepSnapshot | null;
  runs: StoredRun[] | null;
  duplicate_of: string | null;
  stored: StoredOperation | null;
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
  const only = onlyName(names);
  const [row] =
    only === null
      ? await database.read<LoadedRow>(loadStatement(manyParts(names, { operation, withSteps })))
      : await database.readPrepared<LoadedRow, OneInputName>(LOAD_TASK, {
          task_id: null,
          external_id: null,
          step_id: null,
          run_id: null,
          ...only,
          ...duplicateInputs(names.duplicateOf),
          ...keyInputs(operation),
          with_steps: withSteps,
        });

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

/** What a load finds beside the tasks; what a call does not ask for is null. */
interface LoadParts {
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

function loadStatement(parts: LoadParts): SQL {
  const { wanted, loaded, withSteps, matchingIds, step, runs, duplicateOf, stored } = parts;
  return sql`
with wanted as materialized (${wanted})
select ${snapshotParts(loaded, { withSteps })} as loaded, ${matchingIds} as matching_ids, ${step} as step,
  ${runs} as runs, ${duplicateOf} as duplicate_of, ${stored} as stored`;
}

const ONE_INPUTS = {
  task_id: "uuid",
  external_id: "text",
  step_id: "uuid",
  run_id: "uuid",
  duplicate_of_id: "uuid",
  duplicate_of_external_id: "text",
  with_steps: "boolean",
  operation_id: "uuid",
  actor_id: "text",
  route: "text",
  key: "text",
} as const;

type OneInputName = keyof typeof ONE_INPUTS;

/** The load of one task, which most moves begin with: by its id, its external id, a step or a run of it. */
export const LOAD_TASK: PreparedRead<OneInputName> = {
  name: "load_task",
  writes: false,
  inputs: ONE_INPUTS,
  columns: "loaded json, matching_ids json, step json, runs json, duplicate_of uuid, stored json",
  body: (input) => [
    loadStatement({
      wanted: sql`select coalesce(${input.task_id}, (select id from tasks where external_id = ${input.external_id}),
        (select task_id from steps where id = ${input.step_id}),
        (select task_id from worker_runs where id = ${input.run_id})) as id`,
      loaded: sql`wanted`,
      withSteps: input.with_steps,
      matchingIds: sql`null::json`,
      step: stepQuery(input.step_id),
      runs: runsQuery(sql`worker_runs x where x.id = ${input.run_id}`),
      duplicateOf: sql`(select t.id from tasks t
        where t.id = ${input.duplicate_of_id} or t.external_id = ${input.duplicate_of_external_id})`,
      stored: storedJson({
        id: input.operation_id,
        actorId: input.actor_id,
        route: input.route,
        key: input.key,
      }),
    }),
  ],
};

/** The one thing that a call names, as an input; null where it names anything else. */
function onlyName({ tasks = [], stepId, runIds = [], matching }: TaskNames) {
  if (matching !== undefined) return null;
  if (stepId !== undefined) return { step_id: stepId };
  const [runId] = runIds;
  if (runId !== undefined) return runIds.length === 1 ? { run_id: runId } : null;
  const [ref] = tasks;
  if (ref === undefined || tasks.length > 1) return null;
  return "id" in ref ? { task_id: uuidOrNull(ref.id) } : { external_id: ref.externalId };
}

function duplicateInputs(ref: TaskRef | undefined) {
  return {
    duplicate_of_id: ref !== undefined && "id" in ref ? uuidOrNull(ref.id) : null,
    duplicate_of_external_id: ref !== undefined && "externalId" in ref ? ref.externalId : null,
  };
}

/** A name that means nothing finds nothing. */
function uuidOrNull(id: string): string | null {
  return isUuid(id) ? id : null;
}

/** A call without a key finds nothing. */
function keyInputs(operation: Operation | null) {
  const isKeyed = operation !== null && operation.key !== null;
  return {
    operation_id: isKeyed ? operation.id : null,
    actor_id: isKeyed ? operation.actorId : null,
    route: isKeyed ? operation.route : null,
    key: isKeyed ? operation.key : null,
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

function stepQuery(stepId: Bound<string>): SQL {
  return sql`(select ${stepJson(sql`x`)} from steps x where x.id = ${stepId})`;
}

/** Runs under the alias x, as rows of `StoredRun`. */
function runsQuery(from: SQL): SQL {
  return sql`(select json_agg(json_build_object('id', x.id, 'taskId', x.task_id, 'stepId', x.step_id, 'type', x.type,
    'state', x.state, 'attempt', x.attempt, 'offered', x.offered,
    'heldBy', case when x.lease_until > now() then x.lease_owner end) order by x.id) from ${from})`;
}
