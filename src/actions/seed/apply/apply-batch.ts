import { findRecorded } from "../../../db/ledger/recorded.ts";
import type { Batch } from "../../../domain/seed/batches.ts";
import type { PlannedAct, PlannedAction } from "../../../domain/seed/plan.ts";
import type { Applied, Stage } from "./acting.ts";
import { ROWS_MAX } from "../seed-work.ts";
import { applySingle, isSingle } from "./single.ts";
import {
  applyCreations,
  applyEvaluation,
  applyMoves,
  applyReports,
  type Creation,
  type Evaluation,
  type Move,
  type Report,
} from "./together.ts";

/**
 * Applies a batch through the actions of any client. Everything in it travels together: two round trips for most batches. With
 * `isRepeat`, parts of it may have been applied before, and are not applied again.
 */
export async function applyBatch(
  stage: Stage,
  { actions }: Batch,
  { isRepeat }: { isRepeat: boolean },
): Promise<Applied> {
  const singles = actions.filter(isSingle);
  const others = actions.filter((action) => !isSingle(action));
  const done = isRepeat ? await doneBefore(stage, singles) : new Set<PlannedAction>();
  const parts = await Promise.all([
    ...partsOf(others.filter(is("create"))).map((part) => applyCreations(stage, part)),
    ...partsOf(others.filter(is("move", "note", "edit"))).map((part) => applyMoves(stage, part)),
    ...partsOf(others.filter(is("report"))).map((part) => applyReports(stage, part)),
    ...partsOf(others.filter(is("recordEvaluation")), resultsOf).map((part) =>
      applyEvaluation(stage, part),
    ),
    ...singles.map(async (action): Promise<Applied> => {
      if (done.has(action)) return ONE_APPLIED;
      const { ok } = await applySingle(stage, action);
      return ok ? ONE_APPLIED : ONE_REFUSED;
    }),
  ]);
  return {
    applied: sum(parts.map(({ applied }) => applied)),
    refused: sum(parts.map(({ refused }) => refused)),
  };
}

const ONE_APPLIED: Applied = { applied: 1, refused: 0 };
const ONE_REFUSED: Applied = { applied: 0, refused: 1 };

/** Returns the actions whose operations are in the ledger. Calls for many ask it themselves. */
async function doneBefore(
  { joint, story }: Stage,
  actions: readonly PlannedAction[],
): Promise<ReadonlySet<PlannedAction>> {
  if (actions.length === 0) return new Set();
  const recorded = await findRecorded(
    joint.at(null),
    actions.map((action) => story.operationId(action)),
  );
  return new Set(actions.filter((action) => recorded.has(story.operationId(action))));
}

function is<Type extends PlannedAct["type"]>(...types: readonly Type[]) {
  return (action: PlannedAction): action is ActionOf<Type> =>
    (types as readonly PlannedAct["type"][]).includes(action.act.type);
}
type ActionOf<Type extends PlannedAct["type"]> = PlannedAction & {
  act: Extract<PlannedAct, { type: Type }>;
};

const resultsOf = ({ act }: Evaluation) => act.results.length;

/** Divides actions into parts of at most ROWS_MAX rows, in their order. */
function partsOf<Action extends Creation | Move | Report | Evaluation>(
  actions: readonly Action[],
  rowsOf: (action: Action) => number = () => 1,
): [Action, ...Action[]][] {
  const parts: [Action, ...Action[]][] = [];
  let rows = 0;
  for (const action of actions) {
    const part = parts.at(-1);
    rows += rowsOf(action);
    if (part === undefined || rows > ROWS_MAX) {
      parts.push([action]);
      rows = rowsOf(action);
    } else {
      part.push(action);
    }
  }
  return parts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
