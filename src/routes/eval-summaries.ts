import * as z from "zod";
import { summariseEval, summariseScope } from "../actions/evals/summarize-evals.ts";
import { SUMMARY_MODELS_MAX, SUMMARY_TASKS_MAX } from "../db/evals/eval-summaries.ts";
import { INTERVAL_METHODS, RESAMPLES_MAX } from "../domain/evals/summary.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { name, safeText, uuid } from "./http/schemas.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";

const MODELS_ASKED_MAX = 20;
const count = z.int().min(0);

/** A figure for each k, under k as text. */
const byK = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value);

const interval = z.tuple([z.number(), z.number()]);
const tasksBehind = byK(count).openapi({
  description: "How many tasks stand behind each figure: those with k scored trials.",
});

const modelSummary = z
  .strictObject({
    model: z.string(),
    modelRevisions: z
      .array(z.string())
      .readonly()
      .openapi({ description: "The revisions that the trials name." }),
    n: count.openapi({ description: "Trials that were scored: passed or failed." }),
    c: count.openapi({ description: "Trials that passed." }),
    errored: count.openapi({ description: "Trials without a verdict; they are not scored." }),
    passAt: byK(z.number().nullable()).openapi({
      description:
        "pass@k by the unbiased estimator 1 - C(n-c, k) / C(n, k), the mean over tasks; null where fewer than k trials were scored.",
      example: { "1": 0.5, "2": null },
    }),
    tasks: tasksBehind,
    interval: byK(interval).openapi({
      description: "95 %, where there is a figure.",
      example: { "1": [0.15, 0.85] },
    }),
    method: byK(z.enum(INTERVAL_METHODS)).openapi({
      description:
        "`wilson` over tasks that each either passed or failed, or over the trials of tasks that all came out alike, as a lone one does; otherwise `bootstrap` over tasks, with a fixed seed, or `normal` where `resamples` is 0.",
      example: { "1": "wilson" },
    }),
  })
  .openapi("ModelSummary");

const summaryFields = {
  k: count.openapi({ description: "How many trials each model was to have." }),
  resamples: count.openapi({
    description: `How often tasks were drawn anew for a bootstrap: ${RESAMPLES_MAX} times, less often where tasks and figures are many, and 0 times where that would take too long: intervals are the normal distribution's then.`,
  }),
  models: z.array(modelSummary).openapi({ description: "By name." }),
  modelsTruncated: z.boolean().openapi({
    description: `Whether there are more models than the ${SUMMARY_MODELS_MAX} that are shown.`,
  }),
};

const getEvalSummary = defineContract({
  operationId: "getEvalSummary",
  method: "GET",
  path: "/evals/{evalId}/summary",
  summary: "How models did in one evaluation",
  description: "pass@1..k with intervals. Retracted trials count for nothing.",
  tags: ["Evals, trials, insights"],
  role: "viewer",
  params: z.strictObject({ evalId: uuid }),
  response: {
    status: 200,
    description: "A figure for each model and k.",
    schema: z.strictObject({ evalId: uuid, ...summaryFields }).openapi("EvalSummary"),
  },
  errors: ["not_found"],
});

const modelNames = safeText(4096)
  .transform((text) => [...new Set(text.split(","))])
  .pipe(z.array(name()).min(1).max(MODELS_ASKED_MAX))
  .openapi({
    type: "string",
    description: "Only these, separated by commas. Two are compared, task by task.",
    example: "model-a,model-b",
  });

const getScopeSummary = defineContract({
  operationId: "summariseEvals",
  method: "GET",
  path: "/evals/summary",
  summary: "How models did across many tasks",
  description: `Over the tasks of a filter, at most the newest ${SUMMARY_TASKS_MAX}: the evaluations of one name, or all. Each task has the same weight, with the trials of its newest version that was evaluated; cancelled evaluations and retracted trials count for nothing. \`coverage\` says how much of the filter stands behind the figures.`,
  tags: ["Evals, trials, insights"],
  role: "viewer",
  query: z.strictObject({
    ...taskFilterQuery,
    name: name().optional().openapi({ description: "The name of the evaluations." }),
    models: modelNames.optional(),
  }),
  response: {
    status: 200,
    description: "A figure for each model and k, and the comparison of two.",
    schema: z
      .strictObject({
        name: z.string().nullable(),
        ...summaryFields,
        coverage: z.strictObject({
          tasksMatched: count.openapi({ description: "Tasks that the filter found." }),
          tasksWithEval: count.openapi({ description: "Those with such an evaluation." }),
          tasksScored: count.openapi({ description: "Those with a trial that was scored." }),
          evals: count,
        }),
        tasksTruncated: z.boolean().openapi({
          description: `Whether more tasks match than the ${SUMMARY_TASKS_MAX} that were looked at.`,
        }),
        comparison: z
          .strictObject({
            models: z.tuple([z.string(), z.string()]),
            difference: byK(z.number().nullable()).openapi({
              description:
                "The mean over tasks of pass@k of the first less that of the second, at the tasks where both have k scored trials.",
            }),
            tasks: tasksBehind,
            interval: byK(interval).openapi({
              description:
                "95 %, by a bootstrap over tasks, or by the normal distribution where `resamples` is 0; absent where all tasks differ by the same, so that none can be told.",
            }),
          })
          .nullable()
          .openapi({ description: "null unless two models were named." }),
      })
      .openapi("ScopeSummary"),
  },
});

export const evalSummaryRoutes: readonly Route[] = [
  createHandler(getEvalSummary, async ({ database }, { params }) => {
    const summary = await summariseEval(database, params.evalId);
    return summary.ok ? reply(summary.value) : summary;
  }),
  createHandler(getScopeSummary, async ({ database }, { query }) => {
    const { name: evalName, models, ...filter } = query;
    return reply(await summariseScope(database, { filter, name: evalName, models }));
  }),
];
