import type { Command } from "../../../domain/lifecycle/commands.ts";
import type { PlannedAct, PlannedAction } from "../../../domain/seed/plan.ts";
import { recordEvaluation } from "../../evals/record-evaluation.ts";
import { moveTasks } from "../../moves/move-tasks.ts";
import { contentHash } from "../../tasks/content-hash.ts";
import { reportRun } from "../../runs/report-run.ts";
import { reportRuns } from "../../runs/report-runs.ts";
import { importTasks } from "../../tasks/import-tasks.ts";
import { type Applied, callFor, callForAll, type Stage } from "./acting.ts";

// Acts that one call can carry out for many tasks.

type ActionOf<Type extends PlannedAct["type"]> = PlannedAction & {
  act: Extract<PlannedAct, { type: Type }>;
};
export type Creation = ActionOf<"create">;
export type Move = ActionOf<"move" | "note" | "edit">;
export type Report = ActionOf<"report">;
export type Evaluation = ActionOf<"recordEvaluation">;

/** Creates tasks. */
export async function applyCreations(
  stage: Stage,
  actions: readonly [Creation, ...Creation[]],
): Promise<Applied> {
  const rows = actions.map(({ at, act: { fields, content } }) => ({
    task: { fields, content },
    at,
    seedRunId: stage.runId,
  }));
  const outcome = await importTasks(callForAll(stage, "creations", actions), rows, {
    isDryRun: false,
  });
  return appliedOf(actions, outcome.ok ? outcome.value.value.counts.created : 0);
}

/** How often moves are tried that lost a race with someone else. */
const ATTEMPTS_MAX = 3;

/** Moves tasks, notes something about them, or edits them. */
export async function applyMoves(
  stage: Stage,
  actions: readonly [Move, ...Move[]],
): Promise<Applied> {
  let waiting: readonly [Move, ...Move[]] = actions;
  let changed = 0;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const moves = waiting.map((action) => ({
      task: { id: stage.story.taskId(taskOf(action)) },
      command: commandOf(action.act),
      at: action.at,
    }));
    const outcome = await moveTasks(callForAll(stage, `moves ${attempt}`, waiting), moves);
    if (!outcome.ok) break;
    const { counts, items } = outcome.value.value;
    changed += counts.changed;
    const [first, ...more] = items.flatMap(({ outcome: is, index }) =>
      is === "stale" ? (waiting[index] ?? []) : [],
    );
    if (first === undefined) break;
    waiting = [first, ...more];
  }
  return appliedOf(actions, changed);
}

/** Records reports of workers. Those that move no task are made one by one. */
export async function applyReports(
  stage: Stage,
  actions: readonly [Report, ...Report[]],
): Promise<Applied> {
  const reportOf = ({ act: { run, state, verdict, result, error } }: Report) => ({
    runId: stage.story.idOf(run),
    state,
    verdict,
    result,
    error,
  });
  const outcome = await reportRuns(
    callForAll(stage, "reports", actions),
    actions.map((action) => ({ ...reportOf(action), at: action.at })),
  );
  if (!outcome.ok) return appliedOf(actions, 0);
  const items = outcome.value.value;
  const alone = actions.filter((_, index) => items[index] === "alone");
  const made = await Promise.all(
    alone.map((action) => reportRun(callFor(stage, action), reportOf(action))),
  );
  const moved = items.filter((item) => item === "moved").length;
  return appliedOf(actions, moved + made.filter(({ ok }) => ok).length);
}

function commandOf(act: Move["act"]): Command {
  switch (act.type) {
    case "note":
      return { type: "note", text: act.text };
    case "edit":
      return { type: "edit", changes: act.changes };
    default:
      return planned(act.command);
  }
}

function planned(command: Extract<Move["act"], { type: "move" }>["command"]): Command {
  switch (command.type) {
    case "gate":
      return command;
    case "version":
      return {
        ...command,
        contentHash: contentHash(command.content),
        runAttachedWorkflows: false,
      };
    case "transition": {
      const { duplicateOf, ...rest } = command;
      if (duplicateOf !== undefined)
        throw new Error("A move that names an original is a call by itself");
      return { ...rest, runAttachedWorkflows: false };
    }
    default:
      return { ...command, runAttachedWorkflows: false };
  }
}

/** Records the results of an evaluation. */
export async function applyEvaluation(
  stage: Stage,
  actions: readonly [Evaluation, ...Evaluation[]],
): Promise<Applied> {
  const [first, ...more] = actions.flatMap((action) =>
    action.act.results.map((result) => ({ ...action, result })),
  );
  if (first === undefined) return appliedOf(actions, actions.length);
  const rows = [first, ...more] as const;
  const [{ act }] = actions;
  const call = callForAll(stage, "evaluation", rows);
  const outcome = await recordEvaluation(call, {
    name: act.name,
    k: act.k,
    slotBy: act.slotBy,
    complete: act.complete,
    results: rows.map(({ at, result: { task, ...result } }) => ({
      ...result,
      task: { id: stage.story.taskId(task) },
      at,
    })),
  });
  const missing = outcome.ok ? outcome.value.value.counts.not_found : rows.length;
  return missing === 0 ? appliedOf(actions, actions.length) : appliedOf(actions, 0);
}

function taskOf({ tasks }: PlannedAction): number {
  const [task] = tasks;
  if (task === undefined) throw new Error("The plan has an action without a task");
  return task;
}

function appliedOf(actions: readonly unknown[], applied: number): Applied {
  return { applied, refused: actions.length - applied };
}
