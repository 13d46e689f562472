import * as z from "zod";
import { summarizeEval, summarizeScope } from "../actions/evals/summarize-evals.ts";
import { SUMMARY_MODELS_MAX, SUMMARY_TASKS_MAX } from "../db/evals/eval-summaries.ts";
import { SLOT_MEMBERS } from "../domain/evals/slot.ts";
import { INTERVAL_METHODS, RESAMPLES_MAX } from "../domain/evals/summary.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { name, safeText, uuid } from "./http/schemas.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";

const MODELS_MAX = 20;
const count = z.int().min(0);

/** A map from `k`, as text, to a value. */
const byK = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value);

const interval = z.tuple([z.number(), z.number()]);
const tasksByK = byK(count).openapi({
  description:
    "The number of tasks behind each estimate: the tasks with `k` trials that passed or failed.",
});

const modelSummary = z
  .strictObject({
    model: z.string(),
    slot: z.partialRecord(z.enum(SLOT_MEMBERS), z.string().nullable()).openapi({
      description:
        "What this entry is about: the model alone, or the combination that `slotBy` of its evals names. Trials of evals with another `slotBy` are another entry.",
      example: { model: "solver-large", agent: "planner" },
    }),
    modelRevisions: z
      .array(z.string())
      .readonly()
      .openapi({ description: "The model's revisions that have trials." }),
    n: count.openapi({
      description: "The number of trials with a verdict, that is, trials that passed or failed.",
    }),
    c: count.openapi({ description: "The number of trials that passed." }),
    errored: count.openapi({
      description: "The number of trials that errored. They have no verdict.",
    }),
    scores: z
      .strictObject({
        n: count.openapi({
          description:
            "The number of trials that passed, failed, or were scored, and have a score.",
        }),
        tasks: count.openapi({ description: "The number of tasks with such a trial." }),
        mean: z.number().openapi({
          description:
            "The mean over tasks of the mean score of each. With a single task: over its trials.",
        }),
        standardError: z.number().nullable().openapi({
          description:
            "The standard error of the mean, over tasks or over the trials of a single task. Null for a single one.",
        }),
        interval: interval.nullable().openapi({
          description: "The 95% confidence interval of the mean. Null if all have the same score.",
        }),
        method: z.enum(["bootstrap", "normal"]).nullable().openapi({
          description:
            "`bootstrap`: the percentile interval of resampled means, with a seed that comes from the scores. `normal`: the normal approximation, if there are too many scores.",
        }),
      })
      .nullable()
      .openapi({
        description:
          "The scores of the trials, apart from pass@k. Null if there are none. A trial that was scored counts in no pass@k.",
      }),
    passAt: byK(z.number().nullable()).openapi({
      description:
        "pass@k: the mean over tasks of the unbiased estimator 1 - C(n-c, k) / C(n, k). Null if no task has `k` trials that passed or failed.",
      example: { "1": 0.5, "2": null },
    }),
    tasks: tasksByK,
    interval: byK(interval).openapi({
      description: "The 95% confidence interval of each estimate.",
      example: { "1": [0.15, 0.85] },
    }),
    method: byK(z.enum(INTERVAL_METHODS)).openapi({
      description:
        "How each interval was computed. `wilson`: over tasks that each either passed or failed, or over trials if all tasks have the same score, as a single task does. Otherwise `bootstrap`: by resampling tasks with a fixed seed; or `normal`: by the normal approximation, if `resamples` is 0.",
      example: { "1": "wilson" },
    }),
  })
  .openapi("ModelSummary");

const summaryFields = {
  k: count.openapi({
    description: "The number of trials per slot. For several evals, the largest; 0 for none.",
  }),
  resamples: count.openapi({
    description: `The number of bootstrap resamples: ${RESAMPLES_MAX}, or fewer for many tasks and models. 0 if resampling would take too long; intervals then use the normal approximation.`,
  }),
  models: z.array(modelSummary).openapi({
    description:
      "The models, ordered by name. A model has several entries if `slotBy` has other members as well.",
  }),
  modelsTruncated: z.boolean().openapi({
    description: `Whether there are more than ${SUMMARY_MODELS_MAX} entries. Only the first ones are returned.`,
  }),
};

const getEvalSummary = defineContract({
  operationId: "getEvalSummary",
  method: "GET",
  path: "/evals/{evalId}/summary",
  summary: "Summarize an eval",
  description:
    "Returns pass@1 to pass@k and the scores of each model, with 95% confidence intervals. Retracted trials are ignored.",
  tags: ["Evals, trials, and insights"],
  role: "viewer",
  params: z.strictObject({ evalId: uuid }),
  response: {
    status: 200,
    description: "The estimates for each model and `k`.",
    schema: z.strictObject({ evalId: uuid, ...summaryFields }).openapi("EvalSummary"),
  },
  errors: ["not_found"],
});

const modelNames = safeText(4096)
  .transform((text) => [...new Set(text.split(","))])
  .pipe(z.array(name()).min(1).max(MODELS_MAX))
  .openapi({
    type: "string",
    description: `A comma-separated list of up to ${MODELS_MAX} models. If you name exactly two, they are compared task by task.`,
    example: "model-a,model-b",
  });

const getScopeSummary = defineContract({
  operationId: "summariseEvals",
  method: "GET",
  path: "/evals/summary",
  summary: "Summarize evals across tasks",
  description: `Returns pass@k and the scores of each model over the tasks that match the filters, at most the newest ${SUMMARY_TASKS_MAX}. Every task has the same weight and contributes the trials of its newest version that has such an eval. Cancelled evals, retracted trials, and evals that a newer one with the same name has replaced (\`twinOf\`) are ignored. \`coverage\` says how many of the tasks have evals, verdicts, and scores.`,
  tags: ["Evals, trials, and insights"],
  role: "viewer",
  query: z.strictObject({
    ...taskFilterQuery,
    name: name().optional().openapi({ description: "Only evals with this name." }),
    models: modelNames.optional(),
  }),
  response: {
    status: 200,
    description: "The estimates for each model and `k`, and the comparison of two models.",
    schema: z
      .strictObject({
        name: z.string().nullable(),
        ...summaryFields,
        coverage: z.strictObject({
          tasksMatched: count.openapi({ description: "The number of tasks that match." }),
          tasksWithEval: count.openapi({ description: "The number of them with such an eval." }),
          tasksScored: count.openapi({
            description: "The number of them with a trial that passed or failed.",
          }),
          tasksWithScore: count.openapi({
            description: "The number of them with a trial that ended with a score.",
          }),
          evals: count,
        }),
        tasksTruncated: z.boolean().openapi({
          description: `Whether more than ${SUMMARY_TASKS_MAX} tasks match. Only the newest are included.`,
        }),
        comparison: z
          .strictObject({
            models: z.tuple([z.string(), z.string()]),
            difference: byK(z.number().nullable()).openapi({
              description:
                "pass@k of the first model minus that of the second: the mean over the tasks where both have `k` trials that passed or failed. Null if there is no such task.",
            }),
            tasks: tasksByK,
            interval: byK(interval).openapi({
              description:
                "The 95% confidence interval, from a bootstrap over tasks, or from the normal approximation if `resamples` is 0. Absent if the difference is the same for all tasks.",
            }),
          })
          .nullable()
          .openapi({
            description:
              "Null unless the query names exactly two models, each with one entry in `models`.",
          }),
      })
      .openapi("ScopeSummary"),
  },
});

export const evalSummaryRoutes: readonly Route[] = [
  createHandler(getEvalSummary, async ({ database }, { params }) => {
    const summary = await summarizeEval(database, params.evalId);
    return summary.ok ? reply(summary.value) : summary;
  }),
  createHandler(getScopeSummary, async ({ database }, { query }) => {
    const { name: evalName, models, ...filter } = query;
    return reply(await summarizeScope(database, { filter, name: evalName, models }));
  }),
];
