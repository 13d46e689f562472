import { findLiveTrial } from "../../../db/evals/find-trial.ts";
import { utf8ToBytes, bytesToHex } from "@noble/hashes/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { addressOfStub } from "../../../storage/stubs.ts";
import type { Maker } from "../../../domain/maker.ts";
import { notFound, type Outcome, refuse, succeed } from "../../../domain/refusals.ts";
import type { PlannedAct, PlannedAction } from "../../../domain/seed/plan.ts";
import { executeBulk } from "../../bulk/execute.ts";
import { revertBulk } from "../../bulk/revert.ts";
import { declareData } from "../../content/declare-data.ts";
import { recordPrompt } from "../../content/record-prompt.ts";
import { createEval } from "../../evals/create-eval.ts";
import { openInsight } from "../../evals/open-insight.ts";
import { recordTrials } from "../../evals/record-trials.ts";
import { retractTrial } from "../../evals/retract-trial.ts";
import { updateEval } from "../../evals/update-eval.ts";
import { moveTask, noExtra } from "../../moves/move-task.ts";
import { duplicateOfFound } from "../../moves/targets.ts";
import { recordReview } from "../../reviews/record-review.ts";
import { withdrawReview } from "../../reviews/withdraw-review.ts";
import { startRun } from "../../runs/start-run.ts";
import { callFor, type Stage, type StoryCall } from "./acting.ts";

/** The acts that are one call each. Calls of one batch share their round trips. */
export type SingleAct = Extract<PlannedAct, { type: keyof typeof APPLY }>;
type ActOf<Type extends PlannedAct["type"]> = Extract<PlannedAct, { type: Type }>;

interface Subject {
  stage: Stage;
  call: StoryCall;
  /** The task; the first one of a bulk change. */
  task: { id: string };
  action: PlannedAction;
}

type Apply<Type extends PlannedAct["type"]> = (
  subject: Subject,
  act: ActOf<Type>,
) => Promise<Outcome<unknown>>;

const APPLY = {
  review: ({ stage, call, task }, { kind, outcome, notes, move }) => {
    const { duplicateOf, ...rest } = move ?? { duplicateOf: undefined };
    return recordReview(call, {
      task,
      kind,
      outcome,
      notes,
      ...(move !== undefined && {
        move: {
          ...(rest as Omit<typeof move, "duplicateOf">),
          runAttachedWorkflows: false,
          duplicateOf:
            duplicateOf === undefined ? undefined : { id: stage.story.taskId(duplicateOf) },
        },
      }),
    });
  },
  move: ({ stage, call, task }, { command }) => {
    if (command.type !== "transition" || command.duplicateOf === undefined) {
      throw new Error("A move that names no original is applied together with others");
    }
    const original = { id: stage.story.taskId(command.duplicateOf) };
    return moveTask(call, {
      names: { tasks: [task], duplicateOf: original },
      commandOf: (loaded) => {
        const duplicateOf = duplicateOfFound(loaded, original);
        if (!duplicateOf.ok) return duplicateOf;
        return succeed({ ...command, duplicateOf: duplicateOf.value, runAttachedWorkflows: false });
      },
      extraOf: noExtra,
    });
  },
  withdraw: ({ stage, call }, { review, reason }) =>
    withdrawReview(call, { reviewId: stage.story.idOf(review), reason }),
  startRun: ({ call, task }, { worker }) => startRun(call, { task, type: worker }),
  prompt: ({ call, task }, { role, content, maker }) =>
    recordPrompt(call, { task, role, content, ...makerOf(maker) }),
  data: ({ stage: { runId, story }, call, task }, act) => {
    const { kind, contentType, sizeBytes, maker, prompt, inputs, path } = act;
    const [prefix, ...rest] = path.split(/(?<=^demo\/[^/]+\/)/);
    return declareData(call, {
      task,
      kind,
      contentType,
      sizeBytes,
      // Nothing is stored there, so there is nothing else to hash.
      sha256: bytesToHex(sha256(utf8ToBytes(path))),
      uri: addressOfStub(call.database.tenantId, `${prefix}${runId}/${rest.join("")}`),
      ...(maker !== null && makerOf(maker)),
      promptId: prompt === null ? undefined : story.idOf(prompt),
      inputs: inputs.map(story.idOf),
    });
  },
  eval: ({ call, task }, { name, k, slotBy }) => createEval(call, { task, name, k, slotBy }),
  moveEval: ({ stage, call }, { eval: evalKey, status }) =>
    updateEval(call, { evalId: stage.story.idOf(evalKey), status }),
  trials: ({ stage, call }, { eval: evalKey, trials }) =>
    recordTrials(call, {
      evalId: stage.story.idOf(evalKey),
      trials,
      isList: true,
      pathOf: (index) => [index],
    }),
  retract: async ({ call, task }, { name, trial, reason }) => {
    const trialId = await findLiveTrial(call.database, { taskId: task.id, name, ...trial });
    return trialId === null ? refuse(notFound()) : retractTrial(call, { trialId, reason });
  },
  insight: ({ call, task }, { maker, kind, input, output, usage }) =>
    openInsight(call, { task, evalId: null, trialId: null, kind, input, output, usage, ...maker }),
  bulk: ({ stage, call, action }, { intent, reason }) =>
    executeBulk(call, {
      intent,
      reason,
      taskIds: action.tasks.map(stage.story.taskId),
      runAttachedWorkflows: false,
    }),
  revert: ({ stage, call }, { bulk, reason }) =>
    revertBulk(call, { operationId: stage.story.idOf(bulk), reason }),
} satisfies { [Type in PlannedAct["type"]]?: Apply<Type> };

/** Whether an act is a call by itself. A move is one only if it names an original. */
export function isSingle(action: PlannedAction): action is PlannedAction & { act: SingleAct } {
  const { act } = action;
  if (act.type !== "move") return act.type in APPLY;
  return act.command.type === "transition" && act.command.duplicateOf !== undefined;
}

/** Applies an act that is one call. */
export function applySingle(
  stage: Stage,
  action: PlannedAction & { act: SingleAct },
): Promise<Outcome<unknown>> {
  const [task = 0] = action.tasks;
  const subject = {
    stage,
    action,
    call: callFor(stage, action),
    task: { id: stage.story.taskId(task) },
  };
  // The function of an act's type takes that act.
  const apply = APPLY[action.act.type] as Apply<SingleAct["type"]>;
  return apply(subject, action.act);
}

/** A maker with `undefined` for what it does not name. */
function makerOf({ model, modelRevision, agent, agentRevision, provider }: Maker) {
  return {
    model: model ?? undefined,
    modelRevision: modelRevision ?? undefined,
    agent: agent ?? undefined,
    agentRevision: agentRevision ?? undefined,
    provider: provider ?? undefined,
  };
}
