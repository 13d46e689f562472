import { recordCreations, type StoredCreations } from "../../db/moves/record-creations.ts";
import { findTaskIds } from "../../db/tasks/external-ids.ts";
import type { CreateInput } from "../../domain/lifecycle/commands.ts";
import { decideCreate } from "../../domain/lifecycle/decide/create.ts";
import { externalIdTaken, type Outcome, refuse } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { contentHash } from "./content-hash.ts";
import { conclude } from "../call/conclude.ts";
import {
  newTaskView,
  type NewTaskView,
  type TaskView,
  writtenTaskView,
} from "../views/task-view.ts";

/** A task to create, before its content is hashed. */
export type NewTask = Omit<CreateInput, "contentHash">;

/** Creates a task with version 1, its first step and event 1, in one round trip. */
export async function createTask(
  call: ActionCall,
  input: NewTask,
): Promise<Outcome<Done<TaskView>>> {
  const { actor, database, operation } = call;
  const decided = decideCreate(
    { ...input, contentHash: contentHash(input.content) },
    { actor, newId: idsOf(call) },
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
 * Reads which task has the external id. A concurrent insert can conflict with this one before the statement's snapshot
 * shows it.
 */
async function findHolder({ database }: ActionCall, externalId: string | null): Promise<string> {
  const holders = externalId === null ? null : await findTaskIds(database, [externalId]);
  const id = holders?.get(externalId ?? "");
  if (id === undefined) throw new Error("A task was not created, yet no other has its external id");
  return id;
}

/** Completes the answer with the time that the writer assigned. */
function render({ answer, events }: StoredCreations<NewTaskView>): TaskView {
  const [created] = events;
  if (created === undefined) throw new Error("The ledger holds a created task without its event");
  return writtenTaskView(answer, created.at);
}
