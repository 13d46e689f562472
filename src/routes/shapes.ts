import { z } from "@hono/zod-openapi";
import { ACTOR_KINDS, ROLES } from "../domain/actor.ts";
import {
  GATE_STATES,
  PIPELINES,
  STEP_EVENT_TYPES,
  STEP_KINDS,
  STEP_STATUSES,
} from "../domain/lifecycle/statuses.ts";
import { ATTENTION_CODES } from "../domain/status/attention.ts";
import { UNIFIED_STATUSES } from "../domain/status/unified.ts";
import { freeFormValue, timestamp, uuid } from "./http/schemas.ts";

// The answers that several routes share. Inputs stand with their routes.

export const stepKind = z.enum(STEP_KINDS).openapi("StepKind");
export const stepStatus = z.enum(STEP_STATUSES).openapi("StepStatus");
export const gateState = z.enum(GATE_STATES).openapi("GateState");
export const unifiedStatus = z.enum(UNIFIED_STATUSES).openapi("UnifiedStatus");
export const attentionCode = z.enum(ATTENTION_CODES).openapi("AttentionCode");
export const pipelineName = z.enum(PIPELINES).openapi("PipelineName");

export const actor = z
  .strictObject({ id: z.string(), name: z.string(), kind: z.enum(ACTOR_KINDS), role: z.enum(ROLES) })
  .openapi("Actor");

export const task = z
  .strictObject({
    id: uuid,
    externalId: z.string().nullable(),
    title: z.string(),
    taxonomyCode: z.string().nullable(),
    priority: z.int(),
    assignee: z.string().nullable(),
    unifiedStatus,
    attention: z.array(attentionCode),
    statusSince: timestamp,
    currentStep: z.strictObject({
      id: uuid,
      kind: stepKind,
      attempt: z.int(),
      status: stepStatus,
      gate: gateState,
    }),
    activeVersion: z.strictObject({ id: uuid, number: z.int() }),
    eventSeq: z.int(),
    archivedAt: timestamp.nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("Task");

export const step = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    kind: stepKind,
    attempt: z.int(),
    status: stepStatus,
    gate: gateState,
    current: z.boolean().openapi({ description: "Whether the task points at it." }),
  })
  .openapi("Step");

export const stepEvent = z
  .strictObject({
    stream: z.literal("task"),
    taskId: uuid,
    seq: z.int(),
    type: z.enum(STEP_EVENT_TYPES),
    stepId: uuid,
    versionId: uuid,
    step: z.strictObject({ id: uuid, kind: stepKind, attempt: z.int() }),
    versionNumber: z.int(),
    from: stepStatus.nullable(),
    to: stepStatus,
    fromGate: gateState.nullable(),
    toGate: gateState,
    actor,
    reason: z.string().nullable(),
    payload: freeFormValue,
    bulkOperationId: uuid.nullable(),
    operationId: uuid,
    requestId: z.string(),
    registryVersion: z.int(),
    duplicateOf: uuid.nullable(),
    runAttachedWorkflows: z.boolean(),
    canonical: z.string(),
    at: timestamp,
    prevHash: z.string(),
    hash: z.string(),
  })
  .openapi("StepEvent");

export const dispatched = z
  .array(z.strictObject({ id: uuid, pipeline: pipelineName }))
  .openapi("Dispatched");

/** What every call that changes one task answers. */
export const moved = z
  .strictObject({ task, step, events: z.array(stepEvent), dispatched })
  .openapi("Moved");
