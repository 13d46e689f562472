import * as z from "zod";
import type { TrialFilter } from "../../db/evals/evals.ts";
import { orderedSlotBy, SLOT_MEMBERS } from "../../domain/evals/slot.ts";
import { EVAL_STATUSES, TRIAL_STATUSES } from "../../domain/evals/statuses.ts";
import { RUN_STATES } from "../../domain/lifecycle/statuses.ts";
import {
  booleanText,
  type FilterQuery,
  freeFormValue,
  metadata,
  name,
  safeText,
  timestamp,
  uuid,
} from "../http/schemas.ts";
import { makerDetailsInput, makerOutput } from "./maker.ts";

/** The maximum number of trials for each slot of an eval. */
const K_MAX = 1000;

export const evalStatus = z.enum(EVAL_STATUSES).openapi("EvalStatus");
export const trialStatus = z.enum(TRIAL_STATUSES).openapi("TrialStatus");
export const runState = z.enum(RUN_STATES).openapi("RunState");

export const evalName = name().openapi({ example: "accuracy" });
export const trialCount = z.int().min(1).max(K_MAX).openapi({
  description: "The number of trials for each model, or for each combination that `slotBy` names.",
});

const slotMember = z.enum(SLOT_MEMBERS).openapi("SlotMember");
const SLOT_BY_DESCRIPTION =
  "The members that distinguish trials with the same `k`: always `model`, and any of `modelRevision`, `agent`, `agentRevision`, and `provider`.";

export const slotBy = z
  .array(slotMember)
  .min(1)
  .max(SLOT_MEMBERS.length)
  .refine((members) => members.includes("model"), { error: "Must contain model." })
  .refine((members) => new Set(members).size === members.length, {
    error: "Must not repeat a member.",
  })
  .transform(orderedSlotBy)
  .openapi({
    type: "array",
    description: `${SLOT_BY_DESCRIPTION} Default: \`model\` alone.`,
    example: ["model", "agent"],
  });
export const modelName = name().openapi({ example: "solver-large" });

/** The filter of an eval's trials in a query string. */
export const trialFilterQuery = {
  model: modelName.optional(),
  ...makerDetailsInput,
  status: trialStatus.optional(),
  retracted: booleanText.optional().openapi({
    description:
      "`true` returns only retracted trials; `false` returns only trials that are not retracted.",
  }),
} satisfies FilterQuery<TrialFilter>;

/** The members of a request that report a trial's result. */
export const resultFields = {
  passed: z.boolean().optional().openapi({
    description: "Sets the status to `passed` or `failed`. Use it instead of `status`.",
  }),
  score: z.number().optional().openapi({
    description:
      "The score. A score without `status`, `passed`, and `error` sets the status to `scored`, which is final and no verdict. Not allowed if the status is `errored`.",
  }),
  error: safeText(20_000).min(1).optional().openapi({
    description: "Why the trial has no verdict. Allowed only if the status is `errored`.",
  }),
  outputDataId: uuid
    .optional()
    .openapi({ description: "The data item of the task that holds the model's output." }),
};

export const usage = metadata.openapi({
  description: "The resources used, such as tokens, cost, or latency, in your own units.",
  example: { inputTokens: 412, outputTokens: 96, costUsd: 0.0021, latencyMs: 1830 },
});

/** An eval in responses. */
export const evalShape = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    versionNumber: z.int(),
    name: z.string(),
    k: z.int(),
    slotBy: z.array(slotMember).readonly().openapi({ description: SLOT_BY_DESCRIPTION }),
    status: evalStatus,
    twinOf: uuid.nullable().openapi({
      description:
        "The newer eval with the same version and name, if there were two before names became unique. Summaries over many evals leave the older one out.",
    }),
    eventSeq: z.int().openapi({ description: "The number of the eval's newest event." }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("Eval");

const maker = { ...makerOutput, model: z.string() };

/** A trial in responses. */
export const trial = z
  .strictObject({
    id: uuid,
    evalId: uuid,
    taskId: uuid,
    k: z.int(),
    ...maker,
    status: trialStatus,
    passed: z.boolean().nullable().openapi({
      description: "Derived from the status. Null if there is no verdict.",
    }),
    score: z.number().nullable(),
    error: z.string().nullable(),
    outputDataId: uuid.nullable(),
    eventSeq: z.int().openapi({
      description: "The number of the newest event of the eval that concerns this trial.",
    }),
    retractedAt: timestamp.nullable(),
    retractedBy: z.string().nullable(),
    retractReason: z.string().nullable(),
    createdAt: timestamp,
  })
  .openapi("Trial");

/** An insight in responses. */
export const insight = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    evalId: uuid.nullable(),
    trialId: uuid.nullable(),
    kind: z.string(),
    ...maker,
    status: runState,
    input: freeFormValue,
    output: freeFormValue,
    usage: z.record(z.string(), z.unknown()).nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("Insight");
