import { uuidv7 } from "uuidv7";
import { recordCreations, type StoredCreations } from "../../db/moves/record-creations.ts";
import { findTaskIds } from "../../db/tasks/task-ids.ts";
import type { CreateInput } from "../../domain/lifecycle/commands.ts";
import { decideCreate } from "../../domain/lifecycle/decide/create.ts";
import { externalIdTaken, type Outcome, refuse } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { contentHash } from "./content-hash.ts";
import { conclude } from "../call/conclude.ts";
import {
  newTaskView,
  type NewTaskView,
  type TaskView,
  writtenTaskView,
} from "../views/task-view.ts";

/** What a task is made of, before its content has a hash. */
export type NewTask = Omit<CreateInput, "contentHash">;

/** Makes a task with version 1, its first step and event 1, in one round trip. */
export async function createTask(
  call: ActionCall,
  input: NewTask,
): Promise<Outcome<Done<TaskView>>> {
  const { actor, database, operation } = call;
  const decided = decideCreate(
    { ...input, contentHash: contentHash(input.content) },
    { actor, newId: uuidv7 },
  );
  if (!decided.ok) return decided;
  const answer = newTaskView(decided.value);
  const recorded = await recordCreations(database, [decided.value], {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer,
    isKeptIfEmpty: false,
  });
  return conclude(operation, recorded, {
    result: (written) => (written.events.length === 0 ? null : { ...written, answer }),
    render,
    unwritten: async (row) => {
      const holder = row?.existing[0]?.id ?? (await findHolder(call, input.fields.externalId));
      return refuse(externalIdTaken(holder));
    },
  });
}

/**
 * A rival that took the external id at this very moment stopped the statement without being visible to it: one
 * more look tells which task it is.
 */
async function findHolder({ database }: ActionCall, externalId: string | null): Promise<string> {
  const holders = externalId === null ? null : await findTaskIds(database, [externalId]);
  const id = holders?.get(externalId ?? "");
  if (id === undefined) throw new Error("Only a taken external id keeps a task from being made");
  return id;
}

/** The answer, from what the ledger stores: the same the first time and at every repeat. */
function render({ answer, events }: StoredCreations<NewTaskView>): TaskView {
  const [created] = events;
  if (created === undefined) throw new Error("The ledger holds only tasks that were made");
  return writtenTaskView(answer, created.at);
}
