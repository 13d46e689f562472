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
import { page, paging, reason, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import {
  modelName,
  resultFields,
  trial,
  trialCount,
  trialFilterQuery,
  trialStatus,
} from "./shapes/eval.ts";
import { makerDetailsInput, makerDetailsOf } from "./shapes/maker.ts";

const tags = ["Evals, trials, and insights"] as const;

const newTrial = z
  .strictObject({
    k: trialCount.openapi({
      description:
        "The number of this trial among those of its slot, from 1 to the eval's `k`. `slotBy` of the eval says what makes a slot.",
    }),
    model: modelName,
    ...makerDetailsInput,
    status: trialStatus.optional().openapi({
      description: "Defaults to `pending` if `passed`, `score`, and `error` are also absent.",
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
  summary: "Record trials",
  description: `Records one trial, or up to ${TRIALS_MAX} trials in \`trials\`. Several trials are recorded together with one event, or not at all. Returns 409 \`conflict\` if a trial that is not retracted has the same slot: the same \`k\` and the same members of \`slotBy\` of the eval. \`existing\` is that trial, and \`differs\` lists every field in which it differs, with both values; it is empty if all are equal. For several trials, \`taken\` lists every taken slot, each with \`outcome\` \`exists\` or \`conflict\`.`,
  tags,
  role: "operator",
  service: true,
  bodyMax: "large",
  params: z.strictObject({ evalId: uuid }),
  body: z.union([newTrial, manyTrials]),
  example: {
    trials: [
      { k: 1, model: "solver-7b", passed: true },
      { k: 2, model: "solver-7b", error: "Out of memory" },
    ],
  },
  response: {
    status: 201,
    description: "The trial, or `trials` in the order of the request if the request had `trials`.",
    schema: z.union([trial, z.strictObject({ trials: z.array(trial) }).openapi("Trials")]),
  },
  errors: ["not_found", "conflict", "stale"],
  idempotency: "optional",
});

const getTrials = defineContract({
  operationId: "listTrials",
  method: "GET",
  path: "/evals/{evalId}/trials",
  summary: "List an eval's trials",
  description: "Returns the trials of the eval, oldest first, including retracted ones.",
  tags,
  role: "viewer",
  params: z.strictObject({ evalId: uuid }),
  query: z.strictObject({
    ...trialFilterQuery,
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
  summary: "Report a trial's result",
  description:
    "Changes the trial's status as the table `trialTransitions` of `GET /v1/registry` allows. An `errored` trial can run again, which clears its error. A trial that has passed, failed, been scored, or been retracted cannot change.",
  service: true,
  body: z
    .strictObject({ status: trialStatus.optional(), ...resultFields })
    .openapi("TransitionTrial"),
  example: { status: "passed" },
  errors: ["not_found", "invalid_transition", "already_in_status", "conflict", "stale"],
});

const postRetract = defineContract({
  ...ofTrial,
  operationId: "retractTrial",
  method: "POST",
  path: "/trials/{trialId}/retract",
  summary: "Retract a trial",
  description:
    "Retracts the trial, so that another trial with the same slot and `k` can be recorded. The retracted trial and its insights can still be read.",
  body: z.strictObject({ reason }).openapi("RetractTrial"),
  example: { reason: "The prompt was wrong." },
  errors: ["not_found", "already_in_status", "stale"],
});

export const trialRoutes: readonly Route[] = [
  createHandler(postTrials, async (call, { params, body }) => {
    const isMany = "trials" in body;
    const results = isMany ? body.trials : [body];
    const outcome = await recordTrials(call, {
      ...params,
      trials: results.map((result) => ({ ...result, ...makerDetailsOf(result) })),
      isList: isMany,
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
        read: (after, limit) => listTrials(call.database, params.evalId, filter, { after, limit }),
        positionOf: ({ id }) => id,
        itemOf: trialView,
      },
    ),
  ),
  createHandler(patchTrial, async (call, { params, body }) =>
    replyTo(await transitionTrial(call, { ...params, result: body })),
  ),
  createHandler(postRetract, async (call, { params, body }) =>
    replyTo(await retractTrial(call, { ...params, ...body })),
  ),
];
