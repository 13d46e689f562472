import {
  type PlannedCreation,
  recordCreations,
  type StoredCreations,
} from "../../db/moves/record-creations.ts";
import {
  type ExistingTask,
  findExistingTasks,
  type TaskDifference,
} from "../../db/moves/existing-tasks.ts";
import { decideCreate } from "../../domain/lifecycle/decide/create.ts";
import { succeed, type Issue, type Outcome } from "../../domain/refusals.ts";
import { externalIdKey } from "../../domain/task-ref.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { contentHash } from "./content-hash.ts";
import { conclude } from "../call/conclude.ts";
import { differencesBetween } from "./compare-records.ts";
import type { NewTask } from "./create-task.ts";

/** A row of an import after validation: a task to create, or the issues with it. */
export type ImportRow =
  | {
      task: NewTask;
      /** Planned, if the tenant has a simulated clock. */
      at?: string | undefined;
      seedRunId?: string | undefined;
    }
  | { issues: readonly Issue[]; externalId: string | null };

export const IMPORT_OUTCOMES = ["created", "exists", "differs", "invalid"] as const;
export type ImportOutcome = (typeof IMPORT_OUTCOMES)[number];

export interface ImportedItem {
  index: number;
  externalId: string | null;
  outcome: ImportOutcome;
  /** The task that was created, or the one that already has the external id. */
  id?: string;
  /** How the row differs from the task that has its external id. */
  differences?: readonly TaskDifference[];
  issues?: readonly Issue[];
}

export interface Imported {
  counts: Record<"requested" | ImportOutcome, number>;
  items: ImportedItem[];
}

/**
 * Creates many tasks in one round trip, each row on its own. A row whose external id is already taken creates nothing
 * and reports the task that has it, so an import can be repeated until it is complete. The outcome is `differs` if that
 * task has another content: it may be a different record. A dry run writes nothing and returns the same outcomes, without
 * the ids of tasks that would be created.
 */
export async function importTasks(
  call: ActionCall,
  rows: readonly ImportRow[],
  { isDryRun }: { isDryRun: boolean },
): Promise<Outcome<Done<Imported>>> {
  const planned = plan(call, rows);
  if (!planned.ok) return planned;
  const { drafts, creations } = planned.value;
  if (isDryRun) {
    const value = await predict(call, rows, drafts);
    return succeed({ value, replayed: false });
  }
  if (creations.length === 0 && call.operation.key === null) {
    return succeed({ value: importedView(drafts, new Set(), []), replayed: false });
  }
  const recorded = await recordCreations(call.database, creations, {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer: drafts,
    isKeptIfEmpty: call.operation.key !== null,
  });
  return conclude(call.operation, recorded, {
    result: (written) => ({ ...written, answer: drafts }),
    render: (stored) => render(call, rows, stored),
  });
}

/** A row before it is written: the task that it creates if its external id is free. */
interface ImportDraft {
  externalId: string | null;
  /** The id that its task will have; null if the row creates none. */
  taskId: string | null;
  issues?: readonly Issue[];
  /** How the row differs from an earlier row with the same external id. */
  differences?: readonly TaskDifference[];
}

function plan(
  call: ActionCall,
  rows: readonly ImportRow[],
): Outcome<{ drafts: ImportDraft[]; creations: PlannedCreation[] }> {
  const drafts: ImportDraft[] = [];
  const creations: PlannedCreation[] = [];
  const seen = new Map<string, NewTask>();
  for (const [index, row] of rows.entries()) {
    if ("issues" in row) {
      drafts.push({ externalId: row.externalId, taskId: null, issues: row.issues });
      continue;
    }
    const { externalId } = row.task.fields;
    const decided = decideCreate(
      { ...row.task, contentHash: contentHash(row.task.content) },
      { actor: call.actor, newId: idsOf(call, index) },
    );
    if (!decided.ok) {
      // A missing right refuses the whole call. An invalid row only affects itself.
      if (decided.refusal.code !== "validation_failed") return decided;
      drafts.push({ externalId, taskId: null, issues: decided.refusal.issues });
      continue;
    }
    const earlier = externalId === null ? undefined : seen.get(externalId);
    if (earlier !== undefined) {
      const differences = differencesBetween(earlier, row.task);
      drafts.push({ externalId, taskId: null, differences });
      continue;
    }
    if (externalId !== null) seen.set(externalId, row.task);
    drafts.push({ externalId, taskId: decided.value.task.id });
    creations.push({ ...decided.value, at: row.at, seedRunId: row.seedRunId });
  }
  return succeed({ drafts, creations });
}

/** Returns the outcomes that an import would have now. */
async function predict(
  { database }: ActionCall,
  rows: readonly ImportRow[],
  drafts: readonly ImportDraft[],
): Promise<Imported> {
  const named = rows.flatMap((row, index) => recordOf(row, drafts[index]) ?? []);
  const existing = named.length > 0 ? await findExistingTasks(database, named) : [];
  const taken = new Set(existing.map(({ externalId }) => externalId));
  const created = new Set<string>();
  const firstOfKey = new Map<string, { id: string; task: NewTask }>();
  for (const [index, row] of rows.entries()) {
    const { taskId = null, externalId = null } = drafts[index] ?? {};
    if (!("task" in row) || taskId === null || (externalId !== null && taken.has(externalId)))
      continue;
    const key = externalId === null ? null : externalIdKey(externalId);
    const first = key === null ? undefined : firstOfKey.get(key);
    if (externalId === null || first === undefined) {
      created.add(taskId);
      if (key !== null) firstOfKey.set(key, { id: taskId, task: row.task });
    } else {
      // The database would find it: another spelling of an earlier row's external id.
      const differences = differencesBetween(first.task, row.task);
      existing.push({ externalId, id: first.id, differences });
    }
  }
  const { counts, items } = importedView(drafts, created, existing);
  return {
    counts,
    items: items.map(({ id, ...item }) =>
      id === undefined || created.has(id) ? item : { ...item, id },
    ),
  };
}

/** The record of a row that would create a task under an external id, or null for other rows. */
function recordOf(row: ImportRow, draft: ImportDraft | undefined) {
  if (!("task" in row) || (draft?.taskId ?? null) === null) return null;
  const { externalId, title, taxonomyCode } = row.task.fields;
  return externalId === null
    ? null
    : { externalId, title, taxonomyCode, content: row.task.content };
}

/** Completes the answer from what the ledger stores. */
async function render(
  { database }: ActionCall,
  rows: readonly ImportRow[],
  { answer: drafts, events, existing }: StoredCreations<ImportDraft[]>,
): Promise<Imported> {
  const created = new Set(events.map(({ taskId }) => taskId));
  const found = new Set(existing.map(({ externalId }) => externalId));
  // Concurrent inserts can conflict with this one before the statement's snapshot shows them. Read them now.
  const unseen = rows.flatMap((row, index) => {
    const draft = drafts[index];
    const record = recordOf(row, draft);
    const isSettled = record === null || found.has(record.externalId);
    return isSettled || created.has(draft?.taskId ?? "") ? [] : [record];
  });
  const late = unseen.length > 0 ? await findExistingTasks(database, unseen) : [];
  return importedView(drafts, created, [...existing, ...late]);
}

function importedView(
  drafts: readonly ImportDraft[],
  created: ReadonlySet<string>,
  existing: readonly ExistingTask[],
): Imported {
  const holders = new Map<string, Omit<ExistingTask, "externalId">>(
    existing.map(({ externalId, ...task }) => [externalId, task]),
  );
  for (const { taskId, externalId } of drafts) {
    if (taskId !== null && externalId !== null && created.has(taskId))
      holders.set(externalId, { id: taskId, differences: [] });
  }
  const items = drafts.map(({ externalId, taskId, issues, ...draft }, index): ImportedItem => {
    const row = { index, externalId };
    if (issues !== undefined) return { ...row, outcome: "invalid", issues };
    if (taskId !== null && created.has(taskId)) return { ...row, outcome: "created", id: taskId };
    const holder = externalId === null ? undefined : holders.get(externalId);
    if (holder === undefined)
      throw new Error("A task was not created, yet no other has its external id");
    const differences = [draft.differences, holder.differences].find((some) => some?.length);
    if (differences === undefined) return { ...row, outcome: "exists", id: holder.id };
    return { ...row, outcome: "differs", id: holder.id, differences };
  });
  const count = (outcome: ImportOutcome) => items.filter((item) => item.outcome === outcome).length;
  return {
    counts: {
      requested: items.length,
      created: count("created"),
      exists: count("exists"),
      differs: count("differs"),
      invalid: count("invalid"),
    },
    items,
  };
}
