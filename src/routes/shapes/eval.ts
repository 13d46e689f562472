import * as z from "zod";
import { EVAL_STATUSES, TRIAL_STATUSES } from "../../domain/evals/statuses.ts";
import { RUN_STATES } from "../../domain/lifecycle/statuses.ts";
import { freeFormValue, metadata, name, safeText, timestamp, uuid } from "../http/schemas.ts";

/** How many trials each model of an eval has at most. */
const K_MAX = 1000;

export const evalStatus = z.enum(EVAL_STATUSES).openapi("EvalStatus");
export const trialStatus = z.enum(TRIAL_STATUSES).openapi("TrialStatus");
export const runState = z.enum(RUN_STATES).openapi("RunState");

export const evalName = name().openapi({ example: "accuracy" });
export const trialCount = z.int().min(1).max(K_MAX).openapi({
  description: "How many trials each model has.",
});
export const modelName = name().openapi({ example: "solver-large" });

/** Who made it, as it is told. */
export const makerFields = {
  modelRevision: name().optional(),
  agent: name().optional(),
  provider: name().optional(),
};

/** What is told of a trial's result. */
export const resultFields = {
  passed: z.boolean().optional().openapi({
    description: "In place of the status: `passed` or `failed`.",
  }),
  score: z.number().optional().openapi({ description: "An errored trial is not scored." }),
  error: safeText(20_000).min(1).optional().openapi({
    description: "Why no verdict was reached; of an errored trial alone.",
  }),
  outputDataId: uuid
    .optional()
    .openapi({ description: "What the model put out: data of the task." }),
};

/** The maker with what was left out as null. */
export function makerOf(told: {
  modelRevision?: string | undefined;
  agent?: string | undefined;
  provider?: string | undefined;
}) {
  const { modelRevision = null, agent = null, provider = null } = told;
  return { modelRevision, agent, provider };
}

export const usage = metadata.openapi({
  description: "What it took, as the caller counts: tokens, cost, latency.",
  example: { inputTokens: 412, outputTokens: 96, costUsd: 0.0021, latencyMs: 1830 },
});

/** An eval as every answer shows it. */
export const evalShape = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    versionNumber: z.int(),
    name: z.string(),
    k: z.int(),
    status: evalStatus,
    eventSeq: z.int().openapi({ description: "Grows with every event of the eval." }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("Eval");

const maker = {
  model: z.string(),
  modelRevision: z.string().nullable(),
  agent: z.string().nullable(),
  provider: z.string().nullable(),
};

/** A trial as every answer shows it. */
export const trial = z
  .strictObject({
    id: uuid,
    evalId: uuid,
    taskId: uuid,
    k: z.int(),
    ...maker,
    status: trialStatus,
    passed: z.boolean().nullable().openapi({
      description: "Derived from the status; null where there is no verdict.",
    }),
    score: z.number().nullable(),
    error: z.string().nullable(),
    outputDataId: uuid.nullable(),
    eventSeq: z.int().openapi({ description: "The newest event of the eval that tells of it." }),
    retractedAt: timestamp.nullable(),
    retractedBy: z.string().nullable(),
    retractReason: z.string().nullable(),
    createdAt: timestamp,
  })
  .openapi("Trial");

/** An insight as every answer shows it. */
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
