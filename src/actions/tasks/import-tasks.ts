import { uuidv7 } from "uuidv7";
import { recordCreations, type StoredCreations } from "../../db/moves/record-creations.ts";
import { findTaskIds } from "../../db/tasks/task-ids.ts";
import { type Creation, decideCreate } from "../../domain/lifecycle/decide/create.ts";
import { succeed, type Issue, type Outcome } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { contentHash } from "./content-hash.ts";
import type { NewTask } from "./create-task.ts";
import { conclude } from "../call/conclude.ts";

/** A row of an import after validation: a task to create, or the issues with it. */
export type ImportRow = { task: NewTask } | { issues: readonly Issue[]; externalId: string | null };

export const IMPORT_OUTCOMES = ["created", "exists", "invalid"] as const;
export type ImportOutcome = (typeof IMPORT_OUTCOMES)[number];

export interface ImportedItem {
  index: number;
  externalId: string | null;
  outcome: ImportOutcome;
  /** The task that was created, or the one that already has the external id. */
  id?: string;
  issues?: readonly Issue[];
}

export interface Imported {
  counts: { requested: number; created: number; exists: number; invalid: number };
  items: ImportedItem[];
}

/**
 * Creates many tasks in one round trip, each row on its own. A row whose external id is already taken creates nothing
 * and reports the task that has it, so an import can be repeated until it is complete.
 */
export async function importTasks(
  call: ActionCall,
  rows: readonly ImportRow[],
): Promise<Outcome<Done<Imported>>> {
  const planned = plan(call, rows);
  if (!planned.ok) return planned;
  const { drafts, creations } = planned.value;
  if (creations.length === 0 && call.operation.key === null) {
    return succeed({ value: importedView(drafts, new Set(), new Map()), replayed: false });
  }
  const recorded = await recordCreations(call.database, creations, {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer: drafts,
    isKeptIfEmpty: call.operation.key !== null,
  });
  return conclude(call.operation, recorded, {
    result: (written) => ({ ...written, answer: drafts }),
    render: (stored) => render(call, stored),
  });
}

/** A row before it is written: the task that it creates if its external id is free. */
interface ImportDraft {
  externalId: string | null;
  /** The id that its task will have; null if the row creates none. */
  taskId: string | null;
  issues?: readonly Issue[];
}

function plan(
  { actor }: ActionCall,
  rows: readonly ImportRow[],
): Outcome<{ drafts: ImportDraft[]; creations: Creation[] }> {
  const drafts: ImportDraft[] = [];
  const creations: Creation[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    if ("issues" in row) {
      drafts.push({ externalId: row.externalId, taskId: null, issues: row.issues });
      continue;
    }
    const { externalId } = row.task.fields;
    const decided = decideCreate(
      { ...row.task, contentHash: contentHash(row.task.content) },
      { actor, newId: uuidv7 },
    );
    if (!decided.ok) {
      // A missing right refuses the whole call. An invalid row only affects itself.
      if (decided.refusal.code !== "validation_failed") return decided;
      drafts.push({ externalId, taskId: null, issues: decided.refusal.issues });
      continue;
    }
    if (externalId !== null && seen.has(externalId)) {
      drafts.push({ externalId, taskId: null });
      continue;
    }
    if (externalId !== null) seen.add(externalId);
    drafts.push({ externalId, taskId: decided.value.task.id });
    creations.push(decided.value);
  }
  return succeed({ drafts, creations });
}

/** Completes the answer from what the ledger stores. */
async function render(
  { database }: ActionCall,
  { answer: drafts, events, existing }: StoredCreations<ImportDraft[]>,
): Promise<Imported> {
  const created = new Set(events.map(({ taskId }) => taskId));
  const holders = new Map(existing.map(({ externalId, id }) => [externalId, id]));
  // Concurrent inserts can conflict with this one before the statement's snapshot shows them. Read them now.
  const unseen = drafts.flatMap(({ taskId, externalId }) =>
    taskId !== null && externalId !== null && !created.has(taskId) && !holders.has(externalId)
      ? [externalId]
      : [],
  );
  if (unseen.length > 0) {
    for (const [externalId, id] of await findTaskIds(database, unseen)) holders.set(externalId, id);
  }
  return importedView(drafts, created, holders);
}

function importedView(
  drafts: readonly ImportDraft[],
  created: ReadonlySet<string>,
  holders: ReadonlyMap<string, string>,
): Imported {
  const idOf = new Map(holders);
  for (const { taskId, externalId } of drafts) {
    if (taskId !== null && externalId !== null && created.has(taskId)) idOf.set(externalId, taskId);
  }
  const items = drafts.map(({ externalId, taskId, issues }, index): ImportedItem => {
    const row = { index, externalId };
    if (issues !== undefined) return { ...row, outcome: "invalid", issues };
    if (taskId !== null && created.has(taskId)) return { ...row, outcome: "created", id: taskId };
    const id = externalId === null ? undefined : idOf.get(externalId);
    if (id === undefined)
      throw new Error("A task was not created, yet no other has its external id");
    return { ...row, outcome: "exists", id };
  });
  const count = (outcome: ImportOutcome) => items.filter((item) => item.outcome === outcome).length;
  return {
    counts: {
      requested: items.length,
      created: count("created"),
      exists: count("exists"),
      invalid: count("invalid"),
    },
    items,
  };
}
