import { uuidv7 } from "uuidv7";
import type { EvalRow } from "../db/eval-json.ts";
import { loadVersion } from "../db/load-evals.ts";
import { decideEvalCreate } from "../domain/evals/decide/create.ts";
import { archived, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import type { ActionCall, Done } from "./call.ts";
import { recordDecided, theOne } from "./change-eval.ts";
import { keptChanging, LOST_RACE } from "./decide-again.ts";
import { replay } from "./replay.ts";

export interface NewEvalInput {
  task: TaskRef;
  name: string;
  k: number;
  /** The active version where none is named. */
  versionNumber?: number | undefined;
}

/** Opens an eval over a version of a task, as a draft. */
export async function createEval(
  call: ActionCall,
  { task: ref, name, k, versionNumber }: NewEvalInput,
): Promise<Outcome<Done<EvalRow>>> {
  const { task, version, stored } = await loadVersion(
    call.database,
    { task: ref, versionNumber },
    call.operation,
  );
  if (stored) return replay(call.operation, stored, render);
  if (task === null || version === null) return refuse(notFound());
  if (task.isArchived) return refuse(archived());
  const input = { taskId: task.id, versionId: version.id, name, k };
  const decision = decideEvalCreate(input, { newId: uuidv7 });
  const recorded = await recordDecided(call, [decision], render);
  return recorded === LOST_RACE ? keptChanging("eval") : recorded;
}

function render({ evals }: { evals: EvalRow[] }): EvalRow {
  return theOne(evals);
}
