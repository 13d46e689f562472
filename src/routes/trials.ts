import * as z from "zod";
import { recordTrials } from "../actions/evals/record-trials.ts";
import { retractTrial } from "../actions/evals/retract-trial.ts";
import { transitionTrial } from "../actions/evals/transition-trial.ts";
import { trialView } from "../actions/views/eval-view.ts";
import { listTrials } from "../db/evals/evals.ts";
import { TRIALS_MAX } from "../domain/evals/decision.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { booleanText, page, paging, reason, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import {
  makerFields,
  makerOf,
  modelName,
  resultFields,
  trial,
  trialCount,
  trialStatus,
} from "./shapes/eval.ts";

const tags = ["Evals, trials, insights"] as const;

const newTrial = z
  .strictObject({
    k: trialCount.openapi({ description: "Which of the model's trials it is: 1 to the eval's k." }),
    model: modelName,
    ...makerFields,
    status: trialStatus.optional().openapi({
      description: "`pending` where neither it nor `passed` nor `error` is given.",
    }),
    ...resultFields,
  })
  .openapi("NewTrial");

const manyTrials = z
  .strictObject({ trials: z.array(newTrial).min(1).max(TRIALS_MAX) })
  .openapi("NewTrials");

const postTrials = defineContract({
  operationId: "recordTrials",
  method: "POST",
  path: "/evals/{evalId}/trials",
  summary: "Record trials of an eval",
  description:
    "One, or up to 1,000 as `trials`, which are recorded with one event, all of them or none. A live trial of the same k and model is a `conflict` that names it, also where it is of another revision.",
  tags,
  role: "operator",
  service: true,
  bodyMax: "large",
  params: z.strictObject({ evalId: uuid }),
  body: z.union([newTrial, manyTrials]),
  response: {
    status: 201,
    description:
      "The trial; or `trials`, in the order in which they came, where many were asked for.",
    schema: z.union([trial, z.strictObject({ trials: z.array(trial) }).openapi("Trials")]),
  },
  errors: ["not_found", "conflict", "stale"],
  idempotency: "optional",
});

const getTrials = defineContract({
  operationId: "listTrials",
  method: "GET",
  path: "/evals/{evalId}/trials",
  summary: "The trials of an eval",
  description: "Oldest first, retracted ones too.",
  tags,
  role: "viewer",
  params: z.strictObject({ evalId: uuid }),
  query: z.strictObject({
    model: modelName.optional(),
    status: trialStatus.optional(),
    retracted: booleanText.optional().openapi({
      description: "true: those that were retracted; false: those that stand.",
    }),
    ...paging,
  }),
  response: { status: 200, description: "A page of trials.", schema: page(trial) },
  errors: ["not_found", "invalid_cursor"],
});

const ofTrial = {
  tags,
  role: "operator",
  params: z.strictObject({ trialId: uuid }),
  response: { status: 200, description: "The trial.", schema: trial },
  idempotency: "optional",
} as const;

const patchTrial = defineContract({
  ...ofTrial,
  operationId: "transitionTrial",
  method: "PATCH",
  path: "/trials/{trialId}",
  summary: "Say what became of a trial",
  description:
    "Along the table of trials (`GET /v1/registry`). An errored one may run again, and has no error from then on; one that was judged or retracted stays as it is.",
  service: true,
  body: z
    .strictObject({ status: trialStatus.optional(), ...resultFields })
    .openapi("TransitionTrial"),
  errors: ["not_found", "invalid_transition", "already_in_status", "conflict", "stale"],
});

const postRetract = defineContract({
  ...ofTrial,
  operationId: "retractTrial",
  method: "POST",
  path: "/trials/{trialId}/retract",
  summary: "Take a trial back",
  description: "Its slot is free again. The trial stays to be read, and so do its insights.",
  body: z.strictObject({ reason }).openapi("RetractTrial"),
  errors: ["not_found", "already_in_status", "stale"],
});

export const trialRoutes: readonly Route[] = [
  createHandler(postTrials, async (call, { params, body }) => {
    const isMany = "trials" in body;
    const told = isMany ? body.trials : [body];
    const outcome = await recordTrials(call, {
      ...params,
      trials: told.map((one) => ({ ...one, ...makerOf(one) })),
      pathOf: (index) => (isMany ? ["trials", index] : []),
    });
    if (!outcome.ok) return outcome;
    const { value: trials, replayed } = outcome.value;
    const [first] = trials;
    return reply(isMany || first === undefined ? { trials } : first, { replayed });
  }),
  createHandler(getTrials, (call, { params, query: { limit, cursor, ...filter } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getTrials.operationId,
        filter: { ...params, ...filter },
        sort: "id",
        position: uuid,
        read: (after, limit) =>
          listTrials(call.database, { ...params, ...filter }, { after, limit }),
        positionOf: ({ id }) => id,
        itemOf: trialView,
      },
    ),
  ),
  createHandler(patchTrial, async (call, { params, body }) =>
    replyTo(await transitionTrial(call, { ...params, told: body })),
  ),
  createHandler(postRetract, async (call, { params, body }) =>
    replyTo(await retractTrial(call, { ...params, ...body })),
  ),
];
