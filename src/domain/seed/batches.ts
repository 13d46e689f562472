import { STEP_KINDS } from "../lifecycle/statuses.ts";
import type { PlannedAct, PlannedAction } from "./plan.ts";

/** Actions of one actor that one call can carry out: all of one kind, and at most one for each task. */
export interface Batch {
  actor: string;
  kind: string;
  actions: readonly PlannedAction[];
}

/** The changes of a task that one call can make for many tasks. */
const MOVES: readonly PlannedAct["type"][] = [
  "move",
  "review",
  "withdraw",
  "report",
  "note",
  "edit",
];

/** Returns a text that is equal for acts that one call can carry out together. */
function kindOf(act: PlannedAct): string {
  if (MOVES.includes(act.type)) return "moves";
  switch (act.type) {
    case "bulk":
    case "revert":
      return `${act.type} ${act.bulk}`;
    case "recordEvaluation":
      return `recordEvaluation ${act.name} ${act.k} ${act.complete}`;
    default:
      return act.type;
  }
}

/** An action that waits for its turn. */
interface Pending {
  action: PlannedAction;
  order: number;
  /** How many earlier actions it waits for. */
  missing: number;
  next: Pending[];
  /** The number of the stage at which it happens; the first of them for an action on many tasks. */
  stage: number;
  /** How many actions of the same task follow before the task leaves the stage, this one included. */
  left: number;
}

/**
 * Divides actions into few batches. Each task's actions stay in their order, an action on many tasks waits for all of
 * them, and a duplicate waits for the creation of its original. The order of batches follows nothing else, because
 * each action has its own time. What is furthest behind goes first: tasks that were sent back catch up with those that
 * wait at a later stage, and then all of them go on together.
 */
export function batchesOf(actions: readonly PlannedAction[]): Batch[] {
  const groups = new Map<string, Pending[]>();
  const add = (pending: Pending) => {
    const { actor, act } = pending.action;
    const name = `${actor} ${kindOf(act)} ${goesBack(act)}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [pending]);
    else group.push(pending);
  };
  for (const pending of linked(actions.flatMap(inParts))) if (pending.missing === 0) add(pending);

  const batches: Batch[] = [];
  while (groups.size > 0) {
    const chosen = furthestBehind(groups);
    for (const { name } of chosen) groups.delete(name);
    for (const { group } of chosen) {
      batches.push(batchOf(group));
      for (const next of group.flatMap((done) => done.next)) {
        next.missing -= 1;
        if (next.missing === 0) add(next);
      }
    }
  }
  return batches;
}

function batchOf(group: readonly Pending[]): Batch {
  const inOrder = group.toSorted((one, other) => one.order - other.order);
  const [first] = inOrder;
  if (first === undefined) throw new Error("A batch has an action");
  const { actor, act } = first.action;
  return { actor, kind: kindOf(act), actions: inOrder.map(({ action }) => action) };
}

/** An evaluation of many tasks can be recorded in parts. A bulk change is one operation, and so cannot. */
function inParts(action: PlannedAction): readonly PlannedAction[] {
  const { act, tasks } = action;
  if (act.type !== "recordEvaluation" || tasks.length === 1) return [action];
  const byTask = Map.groupBy(act.results, ({ task }) => task);
  return tasks.map((task) => {
    return { ...action, tasks: [task], act: { ...act, results: byTask.get(task) ?? [] } };
  });
}

/** Links each action with those that wait for it. */
function linked(actions: readonly PlannedAction[]): Pending[] {
  const last = new Map<number, Pending>();
  const created = new Map<number, Pending>();
  const stages = new Map<number, number>();
  const all = actions.map((action, order): Pending => {
    const { tasks, act } = action;
    const stage = Math.min(...tasks.map((task) => stages.get(task) ?? 0));
    const pending: Pending = { action, order, missing: 0, next: [], stage, left: 1 };
    const original = originalOf(act);
    const before = new Set(tasks.map((task) => last.get(task)));
    if (original !== undefined) before.add(created.get(original));
    for (const one of before) {
      if (one === undefined) continue;
      one.next.push(pending);
      pending.missing += 1;
    }
    for (const task of tasks) {
      last.set(task, pending);
      stages.set(task, stageAfter(act, stages.get(task) ?? 0));
    }
    if (act.type === "create") for (const task of tasks) created.set(task, pending);
    return pending;
  });
  for (const pending of all.toReversed()) {
    const same = pending.next.filter(({ stage }) => stage === pending.stage);
    pending.left = 1 + Math.max(0, ...same.map(({ left }) => left));
  }
  return all;
}

/** Returns the number of the stage at which a task is after an action. */
function stageAfter(act: PlannedAct, before: number): number {
  if (act.type !== "move") return before;
  const { command } = act;
  switch (command.type) {
    case "advance":
      return before + 1;
    case "rework":
      return STEP_KINDS.indexOf(command.toKind);
    case "version":
      return STEP_KINDS.indexOf(command.firstKind ?? "authoring");
    default:
      return before;
  }
}

function originalOf(act: PlannedAct): number | undefined {
  if (act.type === "review") return act.move?.duplicateOf;
  if (act.type !== "move" || act.command.type !== "transition") return undefined;
  return act.command.duplicateOf;
}

interface Candidate {
  name: string;
  group: Pending[];
  rank: number;
  left: number;
}

/**
 * Returns the group that is furthest behind. If it sends tasks back, all groups that do so at this stage go together, so
 * that their tasks come back together.
 */
function furthestBehind(groups: ReadonlyMap<string, Pending[]>): Candidate[] {
  const candidates = [...groups].map(([name, group]): Candidate => {
    const rank = Math.min(...group.map(rankOf));
    const left = Math.max(...group.map((one) => (rankOf(one) === rank ? one.left : 0)));
    return { name, group, rank, left };
  });
  const [first] = candidates.toSorted(
    (one, other) =>
      one.rank - other.rank || other.left - one.left || other.group.length - one.group.length,
  );
  if (first === undefined) throw new Error("There is no group");
  const isReturn = ({ group }: Candidate) => group.some(({ action }) => goesBack(action.act));
  return isReturn(first)
    ? candidates.filter((one) => isReturn(one) && one.rank === first.rank)
    : [first];
}

const DELIVERY = STEP_KINDS.indexOf("delivery");

/** Returns when an action should come: by its stage, but late if it would open a long way, or if many will join it. */
function rankOf({ action: { act }, stage }: Pending): number {
  if (act.type === "recordEvaluation") return DELIVERY - 0.25;
  return goesBack(act) ? stage + 0.5 : stage;
}

/** Returns true if an act sends its task back to a stage. */
function goesBack(act: PlannedAct): boolean {
  return act.type === "move" && (act.command.type === "rework" || act.command.type === "version");
}
