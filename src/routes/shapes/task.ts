import * as z from "zod";
import {
  GATE_STATES,
  REVIEW_OUTCOMES,
  STEP_KINDS,
  STEP_STATUSES,
} from "../../domain/lifecycle/statuses.ts";
import { ATTENTION_CODES } from "../../domain/status/attention.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import { metadata, name, safeText, timestamp, titleText, uuid } from "../http/schemas.ts";

export const stepKind = z.enum(STEP_KINDS).openapi("StepKind");
export const stepStatus = z.enum(STEP_STATUSES).openapi("StepStatus");
export const gateState = z.enum(GATE_STATES).openapi("GateState");
export const attentionCode = z.enum(ATTENTION_CODES).openapi("AttentionCode");
export const unifiedStatus = z.enum(UNIFIED_STATUSES).openapi("UnifiedStatus", {
  description: "The label that summarizes the task's status, derived from its current step.",
});

// The fields of a task in requests.
export const title = titleText(300).openapi({ example: "Natalia sold clips to 48 of her friends" });
export const taxonomyCode = name(100).openapi({ example: "math.arithmetic" });
export const assignee = name(200);
export const priority = z.number().int().min(0).max(100).openapi({
  description: "0 to 100. Higher is more urgent.",
});

const TEXT_MAX = 200_000;

export const taskContent = z
  .strictObject({
    brief: safeText(TEXT_MAX).optional(),
    instructions: safeText(TEXT_MAX).optional(),
    metadata: metadata.optional(),
  })
  .openapi("TaskContent");

const hold = z.union([
  z
    .strictObject({
      seq: z.number().int().openapi({ description: "The number of the event that put the hold." }),
      gate: gateState.openapi({
        description: "The gate that the step would have without the hold.",
      }),
    })
    .openapi("Hold", {
      description:
        "A hold on a step. While it lasts, the step's gate is `blocked`, and no decision can be taken on the step.",
    }),
  z.null(),
]);

/** A task in responses. */
export const task = z
  .strictObject({
    id: uuid,
    externalId: z.string().nullable(),
    title: z.string(),
    taxonomyCode: z.string().nullable(),
    priority: z.number().int(),
    assignee: z.string().nullable(),
    unifiedStatus,
    attention: z.array(attentionCode).openapi({
      description: "Why the task needs attention. Empty if it needs none.",
    }),
    statusSince: timestamp,
    currentStep: z.strictObject({
      id: uuid,
      kind: stepKind,
      attempt: z.number().int(),
      status: stepStatus,
      gate: gateState,
      hold,
    }),
    activeVersion: z.strictObject({ id: uuid, number: z.number().int() }),
    eventSeq: z.number().int().openapi({
      description:
        "The number of the task's newest event. It is the task's version and its `ETag`.",
    }),
    archivedAt: timestamp.nullable(),
    duplicateOf: uuid.nullable().openapi({
      description: "The task that this duplicate names. Null if it names none, or is no duplicate.",
    }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("Task");

/** A step in responses. */
export const step = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    kind: stepKind,
    attempt: z.number().int(),
    status: stepStatus,
    gate: gateState,
    hold,
    deferred: z
      .array(
        z.strictObject({
          runId: uuid,
          seq: z.number().int().openapi({ description: "The event that recorded the report." }),
          statuses: z.array(stepStatus),
          verdict: z.enum(REVIEW_OUTCOMES).nullable(),
        }),
      )
      .readonly()
      .openapi({
        description:
          "The workers' reports whose moves wait until the step is neither held nor paused, oldest first.",
      }),
    current: z.boolean().openapi({ description: "Whether this is the task's current step." }),
  })
  .openapi("Step");
