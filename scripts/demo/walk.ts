import { nextKind } from "../../src/domain/lifecycle/transitions.ts";
import type { StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { MOVES_MAX } from "../../src/routes/moves.ts";
import type { ApiClient } from "../import/api-client.ts";
import { moved } from "./api.ts";
import { type HerdTask, inParts } from "./herd.ts";

/** A move that the service did not make, although the demo counted on it. */
export interface Trouble {
  externalId: string;
  what: string;
}

type NextMove = StepStatus | "advance";
/** The stages that the demo walks through by hand: from each status the next move towards the quality check. */
const WAY: Partial<Record<HerdTask["kind"], Partial<Record<StepStatus, NextMove>>>> = {
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

const nextMove = ({ kind, status }: HerdTask): NextMove | undefined => WAY[kind]?.[status];

/** How many moves the tasks are from the quality check. */
export function movesAhead(herd: readonly HerdTask[]): number {
  let moves = 0;
  for (const task of herd) {
    const ahead = { ...task };
    for (let move = nextMove(ahead); move !== undefined; move = nextMove(ahead)) {
      moves += 1;
      apply(ahead, move);
    }
  }
  return moves;
}

/** Walks every task to the quality check, a thousand in a call, each from the state that it was seen in. */
export async function walkToQualityCheck(
  client: ApiClient,
  herd: readonly HerdTask[],
  onMoved: (moves: number) => void,
): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  let walking = herd.filter((task) => nextMove(task) !== undefined);
  while (walking.length > 0) {
    const held = new Set<HerdTask>();
    for (const part of inParts(walking, MOVES_MAX)) {
      const refused = await makeMoves(client, part, nextMove);
      for (const [task, what] of refused) {
        held.add(task);
        troubles.push({ externalId: task.externalId, what });
      }
      onMoved(part.length);
    }
    walking = walking.filter((task) => !held.has(task) && nextMove(task) !== undefined);
  }
  return troubles;
}

/** Submits tasks whose quality check is passed: they advance to the generation of output. */
export async function submit(
  client: ApiClient,
  herd: readonly HerdTask[],
  onMoved: (moves: number) => void,
): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  for (const part of inParts(herd, MOVES_MAX)) {
    const refused = await makeMoves(client, part, () => "advance");
    for (const [{ externalId }, what] of refused) troubles.push({ externalId, what });
    onMoved(part.length);
  }
  return troubles;
}

/** Moves tasks and notes where they stand then. Gives back those that stayed, and why. */
async function makeMoves(
  client: ApiClient,
  tasks: readonly HerdTask[],
  choose: (task: HerdTask) => NextMove | undefined,
): Promise<[HerdTask, string][]> {
  const chosen = tasks.flatMap((task) => {
    const move = choose(task);
    return move === undefined ? [] : [{ task, move }];
  });
  const moves = chosen.map(({ task, move }) => ({
    task: task.id,
    ifSeq: task.eventSeq,
    ...(move === "advance" ? { advance: true } : { status: move }),
  }));
  const { items } = await client.call({ method: "POST", path: "/moves", body: { moves } }, moved);
  return chosen.flatMap(({ task, move }, index) => {
    const item = items[index];
    if (item?.outcome !== "changed" || item.eventSeq === undefined) {
      const why = `${move} from ${task.kind} ${task.status}: ${item?.error ?? "no answer"}`;
      return [[task, why] satisfies [HerdTask, string]];
    }
    apply(task, move);
    task.eventSeq = item.eventSeq;
    return [];
  });
}

/** The table's own consequence of a move that the service made. */
function apply(task: HerdTask, move: NextMove): void {
  if (move === "advance") {
    task.kind = nextKind(task.kind) ?? task.kind;
    task.status = "queued";
  } else {
    task.status = move;
  }
}
