import type { EvalRecord } from "../../db/evals/eval-json.ts";
import { loadVersion } from "../../db/evals/load-evals.ts";
import { decideEvalCreate } from "../../domain/evals/decide/create.ts";
import { evalNameTaken } from "../../domain/evals/refusals.ts";
import { MODEL_ALONE, type SlotBy } from "../../domain/evals/slot.ts";
import { archived, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { recordDecided, singleRow } from "./change-eval.ts";
import { decideAgain } from "../call/decide-again.ts";
import { replay } from "../call/replay.ts";

export interface NewEvalInput {
  task: TaskRef;
  name: string;
  k: number;
  /** The model alone by default. */
  slotBy?: SlotBy | undefined;
  /** The active version by default. */
  versionNumber?: number | undefined;
}

/** Creates a draft eval of a version of a task. The version must have no other live eval with its name. */
export async function createEval(
  call: ActionCall,
  { k, slotBy = MODEL_ALONE, ...named }: NewEvalInput,
): Promise<Outcome<Done<EvalRecord>>> {
  return decideAgain("eval", async () => {
    const { task, version, holder, stored } = await loadVersion(
      call.database,
      named,
      call.operation,
    );
    if (stored) return replay(call.operation, stored, render);
    if (task === null || version === null) return refuse(notFound());
    if (task.isArchived) return refuse(archived());
    const { name } = named;
    if (holder !== null) return refuse(evalNameTaken({ id: holder.id, name }));
    const input = { taskId: task.id, versionId: version.id, name, k, slotBy };
    const decision = decideEvalCreate(input, { newId: idsOf(call) });
    return recordDecided(call, [decision], render);
  });
}

function render({ evals }: { evals: EvalRecord[] }): EvalRecord {
  return singleRow(evals);
}
