import { sql } from "drizzle-orm";
import type { Operation } from "../connection/client.ts";
import { heldSlotsQuery } from "../reviews/slots.ts";
import { loadStatement, runsQuery, stepQuery, type TaskNames } from "./load-statement.ts";
import type { InputValue, PreparedRead } from "../connection/prepared.ts";
import { originalJson } from "../tasks/duplicates.ts";
import { storedJson } from "../connection/stored-operation.ts";
import { isUuid } from "../sql/uuid.ts";
import { idOfExternalId } from "../tasks/external-ids.ts";

const ONE_INPUTS = {
  task_id: "uuid",
  external_id: "text",
  step_id: "uuid",
  run_id: "uuid",
  duplicate_of_id: "uuid",
  duplicate_of_external_id: "text",
  with_steps: "boolean",
  with_held_slots: "boolean",
  operation_id: "uuid",
  actor_id: "text",
  route: "text",
  key: "text",
} as const;

export type OneInputName = keyof typeof ONE_INPUTS;

/** Loads one task by its id, its external id, a step or a run. Most moves begin with this statement. */
export const LOAD_TASK: PreparedRead<OneInputName> = {
  name: "load_task",
  writes: false,
  inputs: ONE_INPUTS,
  columns:
    "loaded json, matching_ids json, step json, review json, held_slots json, runs json, duplicate_of json, stored json",
  body: (input) => [
    loadStatement({
      wanted: sql`select case when ${input.external_id} is not null
          then ${idOfExternalId(input.external_id)}
        else coalesce(${input.task_id}, (select task_id from steps where id = ${input.step_id}),
          (select task_id from worker_runs where id = ${input.run_id})) end as id`,
      loaded: sql`wanted`,
      withSteps: input.with_steps,
      withNamedBy: sql`true`,
      matchingIds: sql`null::json`,
      step: stepQuery(input.step_id),
      review: sql`null::json`,
      heldSlots: sql`case when ${input.with_held_slots} then ${heldSlotsQuery} end`,
      runs: runsQuery(sql`worker_runs x where x.id = ${input.run_id}`),
      duplicateOf: originalJson(
        sql`t.id = (select coalesce(${input.duplicate_of_id}, ${idOfExternalId(input.duplicate_of_external_id)}))`,
      ),
      stored: storedJson({
        id: input.operation_id,
        actorId: input.actor_id,
        route: input.route,
        key: input.key,
      }),
    }),
  ],
};

/** Returns the inputs of LOAD_TASK for a call; null unless the call names exactly one task. */
export function oneTaskInputs(
  names: TaskNames,
  { operation, withSteps }: { operation: Operation | null; withSteps: boolean },
): Readonly<Record<OneInputName, InputValue>> | null {
  const named = onlyName(names);
  if (named === null) return null;
  const { duplicateOf } = names;
  // Without a key, there is no stored operation to look for.
  const keyed = operation?.key === null ? null : operation;
  return {
    task_id: null,
    external_id: null,
    step_id: null,
    run_id: null,
    ...named,
    duplicate_of_id: duplicateOf && "id" in duplicateOf ? uuidOrNull(duplicateOf.id) : null,
    duplicate_of_external_id:
      duplicateOf && "externalId" in duplicateOf ? duplicateOf.externalId : null,
    with_steps: withSteps,
    with_held_slots: names.withHeldSlots === true,
    operation_id: keyed?.id ?? null,
    actor_id: keyed?.actorId ?? null,
    route: keyed?.route ?? null,
    key: keyed?.key ?? null,
  };
}

function onlyName({ tasks = [], stepId, reviewId, runIds = [], matching }: TaskNames) {
  if (matching !== undefined || reviewId !== undefined) return null;
  const [ref] = tasks;
  if (ref !== undefined) {
    if (tasks.length > 1) return null;
    const named = "id" in ref ? { task_id: uuidOrNull(ref.id) } : { external_id: ref.externalId };
    // Without a task, the step would name one.
    return {
      ...named,
      step_id: "task_id" in named && named.task_id === null ? null : (stepId ?? null),
    };
  }
  if (stepId !== undefined) return { step_id: stepId };
  const [runId] = runIds;
  return runId !== undefined && runIds.length === 1 ? { run_id: runId } : null;
}

/** Null matches nothing, and a malformed id would be an error in Postgres. */
function uuidOrNull(id: string): string | null {
  return isUuid(id) ? id : null;
}
