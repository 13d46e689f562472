import * as z from "zod";
import { CHAIN_FAULTS } from "../../db/history/history-chain.ts";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { EVAL_EVENT_TYPES, EVAL_STATUSES } from "../../domain/evals/statuses.ts";
import { STEP_EVENT_TYPES } from "../../domain/lifecycle/statuses.ts";
import { timestamp, uuid } from "../http/schemas.ts";
import { gateState, stepKind, stepStatus } from "./task.ts";

export const actor = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    kind: z.enum(ACTOR_KINDS),
    role: z.enum(ROLES),
  })
  .openapi("Actor", { description: "Who it was, under the name and role of that moment." });

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .openapi("Sha256", { description: "In hex." });

/** What events of both streams say. */
const envelope = {
  taskId: uuid,
  seq: z.number().int(),
  actor,
  reason: z.string().nullable(),
  payload: z.unknown().openapi({ description: "What else this type of event tells." }),
  operationId: uuid,
  requestId: z.string(),
  registryVersion: z.number().int(),
  at: timestamp,
  canonical: z.string().openapi({
    description: "The text that the hash is over: `sha256(prevHash || canonical)`.",
  }),
  prevHash: sha256,
  hash: sha256,
};

/** An event of a task's history as every answer shows it. */
export const stepEvent = z
  .strictObject({
    stream: z.literal("task"),
    ...envelope,
    type: z.enum(STEP_EVENT_TYPES),
    stepId: uuid,
    versionId: uuid,
    step: z.strictObject({ id: uuid, kind: stepKind, attempt: z.number().int() }),
    versionNumber: z.number().int(),
    from: stepStatus.nullable(),
    to: stepStatus,
    fromGate: gateState.nullable(),
    toGate: gateState,
    bulkOperationId: uuid.nullable(),
    duplicateOf: uuid.nullable(),
    runAttachedWorkflows: z.boolean(),
  })
  .openapi("StepEvent");

/** An event of an eval's own history. */
export const evalEvent = z
  .strictObject({
    stream: z.literal("eval"),
    ...envelope,
    evalId: uuid,
    trialId: uuid.nullable(),
    type: z.enum(EVAL_EVENT_TYPES),
    from: z.enum(EVAL_STATUSES).nullable(),
    to: z.enum(EVAL_STATUSES),
  })
  .openapi("EvalEvent");

/** An event of either stream. */
export const anyEvent = z.discriminatedUnion("stream", [stepEvent, evalEvent]);

/** What a look at a whole history finds. */
export const historyVerdict = z
  .strictObject({
    valid: z.boolean(),
    events: z.int().openapi({ description: "How many there are." }),
    head: z.string().openapi({ description: "The hash on the task or the eval itself, in hex." }),
    firstBroken: z
      .strictObject({ seq: z.int(), reason: z.enum(CHAIN_FAULTS) })
      .nullable()
      .openapi({
        description:
          "The first event that is `missing`, does not follow the one before (`broken_link`), was `changed`, or is not the head (`head_differs`).",
      }),
  })
  .openapi("HistoryVerdict");
