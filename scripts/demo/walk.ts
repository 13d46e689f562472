import { nextKind } from "../../src/domain/lifecycle/transitions.ts";
import type { StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { MOVES_MAX } from "../../src/routes/moves.ts";
import type { ApiClient } from "../import/api-client.ts";
import { movesResponse } from "./api.ts";
import { type DemoTask, inChunks } from "./demo-tasks.ts";

/** A move that should have succeeded, but that the service did not make. */
export interface FailedMove {
  externalId: string;
  description: string;
}

type NextMove = StepStatus | "advance";
/** For each status in the stages before the quality check, the next move toward it. */
const NEXT_MOVES: Partial<Record<DemoTask["kind"], Partial<Record<StepStatus, NextMove>>>> = {
  ingestion: {
    pending: "queued",
    queued: "running",
    running: "awaiting_review",
    awaiting_review: "approved",
    approved: "advance",
  },
  authoring: {
    pending: "queued",
    queued: "running",
    running: "awaiting_review",
    awaiting_review: "in_review",
    in_review: "approved",
    approved: "advance",
  },
};

const nextMove = ({ kind, status }: DemoTask): NextMove | undefined => NEXT_MOVES[kind]?.[status];

/** Returns the total number of moves that bring the tasks to the quality check. */
export function movesAhead(tasks: readonly DemoTask[]): number {
  let moves = 0;
  for (const task of tasks) {
    const copy = { ...task };
    for (let move = nextMove(copy); move !== undefined; move = nextMove(copy)) {
      moves += 1;
      apply(copy, move);
    }
  }
  return moves;
}

/**
 * Moves every task to the quality check, up to 1,000 tasks per call. Each move applies only if the task has not changed
 * since the last response. Returns the moves that failed.
 */
export async function walkToQualityCheck(
  client: ApiClient,
  tasks: readonly DemoTask[],
  onMoved: (moves: number) => void,
): Promise<FailedMove[]> {
  const failedMoves: FailedMove[] = [];
  let remaining = tasks.filter((task) => nextMove(task) !== undefined);
  while (remaining.length > 0) {
    const failed = new Set<DemoTask>();
    for (const chunk of inChunks(remaining, MOVES_MAX)) {
      for (const [task, description] of await makeMoves(client, chunk, nextMove)) {
        failed.add(task);
        failedMoves.push({ externalId: task.externalId, description });
      }
      onMoved(chunk.length);
    }
    remaining = remaining.filter((task) => !failed.has(task) && nextMove(task) !== undefined);
  }
  return failedMoves;
}

/** Submits tasks that passed the quality check, by advancing them to output generation. Returns the moves that failed. */
export async function submit(
  client: ApiClient,
  tasks: readonly DemoTask[],
  onMoved: (moves: number) => void,
): Promise<FailedMove[]> {
  const failedMoves: FailedMove[] = [];
  for (const chunk of inChunks(tasks, MOVES_MAX)) {
    const failed = await makeMoves(client, chunk, () => "advance");
    for (const [{ externalId }, description] of failed) {
      failedMoves.push({ externalId, description });
    }
    onMoved(chunk.length);
  }
  return failedMoves;
}

/** Moves tasks and updates their states. Returns the tasks that did not move, each with a description. */
async function makeMoves(
  client: ApiClient,
  tasks: readonly DemoTask[],
  choose: (task: DemoTask) => NextMove | undefined,
): Promise<[DemoTask, string][]> {
  const chosen = tasks.flatMap((task) => {
    const move = choose(task);
    return move === undefined ? [] : [{ task, move }];
  });
  const moves = chosen.map(({ task, move }) => ({
    task: task.id,
    ifSeq: task.eventSeq,
    ...(move === "advance" ? { advance: true } : { status: move }),
  }));
  const request = { method: "POST", path: "/moves", body: { moves } } as const;
  const { items } = await client.call(request, movesResponse);
  return chosen.flatMap(({ task, move }, index) => {
    const item = items[index];
    if (item?.outcome !== "changed" || item.eventSeq === undefined) {
      const error = item?.error ?? "no response";
      const description = `${move} from ${task.kind} ${task.status}: ${error}`;
      return [[task, description] satisfies [DemoTask, string]];
    }
    apply(task, move);
    task.eventSeq = item.eventSeq;
    return [];
  });
}

/** Applies a move that the service made to the local copy of the task. */
function apply(task: DemoTask, move: NextMove): void {
  if (move === "advance") {
    task.kind = nextKind(task.kind) ?? task.kind;
    task.status = "queued";
  } else {
    task.status = move;
  }
}
