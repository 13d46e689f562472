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
  .openapi("Actor", {
    description: "Who made the change, with the name and role that they had at that time.",
  });

export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .openapi("Sha256", { description: "A SHA-256 digest in lower-case hex." });

export const stepEventType = z.enum(STEP_EVENT_TYPES).openapi("StepEventType");
export const evalEventType = z.enum(EVAL_EVENT_TYPES).openapi("EvalEventType");
/** The type of an event of either stream. */
export const anyEventType = z.enum([...STEP_EVENT_TYPES, ...EVAL_EVENT_TYPES]).openapi("EventType");

/** The members that the events of both streams have. */
const envelope = {
  taskId: uuid,
  seq: z.number().int(),
  actor,
  reason: z.string().nullable(),
  payload: z.unknown().openapi({ description: "Details that depend on the event's type." }),
  operationId: uuid,
  requestId: z.string(),
  registryVersion: z.number().int(),
  at: timestamp,
  canonical: z.string().openapi({
    description: "The text that is hashed: `hash` is `sha256(prevHash || canonical)`.",
  }),
  prevHash: sha256,
  hash: sha256,
};

/** An event of a task's history in responses. */
export const stepEvent = z
  .strictObject({
    stream: z.literal("task"),
    ...envelope,
    type: stepEventType,
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

/** An event of an eval's history in responses. */
export const evalEvent = z
  .strictObject({
    stream: z.literal("eval"),
    ...envelope,
    evalId: uuid,
    trialId: uuid.nullable(),
    type: evalEventType,
    from: z.enum(EVAL_STATUSES).nullable(),
    to: z.enum(EVAL_STATUSES),
  })
  .openapi("EvalEvent");

/** An event of either stream. */
export const anyEvent = z.discriminatedUnion("stream", [stepEvent, evalEvent]);

/** The result of verifying a history. */
export const historyVerdict = z
  .strictObject({
    valid: z.boolean(),
    events: z.int().openapi({ description: "The number of events." }),
    head: z.string().openapi({
      description: "The hash of the newest event, as stored on the task or the eval, in hex.",
    }),
    firstBroken: z
      .strictObject({ seq: z.int(), reason: z.enum(CHAIN_FAULTS) })
      .nullable()
      .openapi({
        description:
          "The first event that fails verification: it is `missing`, does not link to the previous event (`broken_link`), was `changed`, or does not match the stored head (`head_differs`). Null if the history is valid.",
      }),
  })
  .openapi("HistoryVerdict");
