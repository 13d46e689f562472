import { type LoadedTasks, loadTasks } from "../../db/snapshots/load-tasks.ts";
import { type Move, recordMoves, type StoredMoves } from "../../db/moves/record-moves.ts";
import type { Command } from "../../domain/lifecycle/commands.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import {
  type Issue,
  notFound,
  type Outcome,
  refuse,
  type Refusal,
  validationFailed,
} from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import { externalIdKey, type TaskRef } from "../../domain/task-ref.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { permit } from "../call/permit.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

/** One of many moves. Each is of a different task and is decided on its own. */
export interface MoveOfMany {
  task: TaskRef;
  command: Command;
  /** The event seq that the task must have, like `If-Match`. */
  ifSeq?: number | undefined;
  /** The planned time of the move, if the tenant has a simulated clock. */
  at?: string | undefined;
}

export interface MovedItem {
  index: number;
  outcome: "changed" | "refused" | "stale";
  error?: string;
  allowed?: readonly string[];
  /** What is wrong with the move, with paths in the request. */
  issues?: readonly Issue[];
  eventSeq?: number;
}

export interface MovedMany {
  counts: { requested: number; changed: number; refused: number; stale: number };
  items: MovedItem[];
}

/**
 * Moves many tasks in two round trips. A command that the actor's role may never give refuses the whole call. A move
 * refused because of its task's state does not affect the others. A task that changes between load and record is
 * `stale` and is not retried.
 */
export async function moveTasks(
  call: ActionCall,
  moves: readonly MoveOfMany[],
): Promise<Outcome<Done<MovedMany>>> {
  for (const { command } of moves) {
    const permitted = permit(call.actor, command);
    if (!permitted.ok) return permitted;
  }
  const loaded = await loadTasks(
    call.database,
    { tasks: moves.map(({ task }) => task) },
    { operation: call.operation, withNamedBy: true },
  );
  if (loaded.stored) return replay(call.operation, loaded.stored, render);
  const repeated = repeatedTasks(moves, loaded);
  if (repeated.length > 0) return refuse(validationFailed(...repeated));

  const planned: Planned[] = moves.map(({ task, command, ifSeq, at }, index) => {
    const snapshot = loaded.find(task);
    if (snapshot === undefined) return { refusal: notFound() };
    if (ifSeq !== undefined && ifSeq !== snapshot.eventSeq) return { refusal: "stale" };
    const decided = decide(snapshot, command, { actor: call.actor, newId: idsOf(call, index) });
    return decided.ok
      ? { move: { snapshot, decision: decided.value, at } }
      : { refusal: decided.refusal };
  });
  const lawful = planned.flatMap(({ move }) => move ?? []);
  const answer = planned.map(draftItem);
  const recorded = await recordMoves(call.database, lawful, {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer,
    isKeptIfEmpty: call.operation.key !== null,
  });
  return conclude(call.operation, recorded, {
    result: (written) => ({ answer, ...written }),
    render,
  });
}

type Planned = { move: Move; refusal?: never } | { move?: never; refusal: Refusal | "stale" };

/**
 * Both moves of a task would be decided on the same snapshot, so naming one twice refuses the whole call, whatever would
 * become of the moves. An id and an external id can name the same task. Two unknown names are the same if they
 * would name the same task.
 */
function repeatedTasks(moves: readonly MoveOfMany[], { find }: Pick<LoadedTasks, "find">): Issue[] {
  const seen = new Set<string>();
  return moves.flatMap(({ task }, index) => {
    const name =
      find(task)?.id ?? ("id" in task ? task.id : `ext:${externalIdKey(task.externalId)}`);
    const isFirst = !seen.has(name);
    seen.add(name);
    const message = "Each move must name a different task.";
    return isFirst ? [] : [{ path: ["moves", index, "task"], code: "repeated_task", message }];
  });
}

/** An item before its move is written. A lawful move only has its task; its outcome depends on the writer. */
type ItemDraft = { taskId: string } | Omit<MovedItem, "index">;

function draftItem({ move, refusal }: Planned, index: number): ItemDraft {
  if (move !== undefined) return { taskId: move.snapshot.id };
  if (refusal === "stale") return { outcome: "stale", error: "stale" };
  const { code } = refusal;
  return {
    outcome: "refused",
    error: code,
    ...("allowed" in refusal && { allowed: refusal.allowed }),
    ...(refusal.code === "validation_failed" && {
      issues: refusal.issues.map((issue) => ({ ...issue, path: ["moves", index, ...issue.path] })),
    }),
  };
}

function render({ answer, events }: StoredMoves<ItemDraft[]>): MovedMany {
  const newest = new Map(events.map(({ taskId, seq }) => [taskId, seq]));
  const items = answer.map((draft, index): MovedItem => {
    if ("outcome" in draft) return { index, ...draft };
    const eventSeq = newest.get(draft.taskId);
    return eventSeq === undefined
      ? { index, outcome: "stale", error: "stale" }
      : { index, outcome: "changed", eventSeq };
  });
  const count = (outcome: MovedItem["outcome"]) =>
    items.filter((item) => item.outcome === outcome).length;
  return {
    counts: {
      requested: items.length,
      changed: count("changed"),
      refused: count("refused"),
      stale: count("stale"),
    },
    items,
  };
}
