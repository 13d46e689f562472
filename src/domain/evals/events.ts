import * as z from "zod";
import { MODEL_ALONE, SLOT_MEMBERS } from "./slot.ts";
import { type EvalEventType, TRIAL_STATUSES } from "./statuses.ts";

const slot = { k: z.int().min(1), model: z.string() };

const slotBy = z.array(z.enum(SLOT_MEMBERS)).readonly();

const result = {
  status: z.enum(TRIAL_STATUSES),
  score: z.number().nullable(),
  error: z.string().nullable(),
  outputDataId: z.string().nullable(),
};

/**
 * The payload of each event type. Together with the event's columns it is enough to fold an eval and all its trials.
 * Reads parse with these schemas; writes are typed by `EvalPayloadOf`.
 */
export const EVAL_EVENT_PAYLOADS = {
  eval_created: z.object({
    versionId: z.string(),
    name: z.string(),
    k: z.int().min(1),
    /** Missing in events of registry version 1. */
    slotBy: slotBy.default(MODEL_ALONE),
  }),
  eval_transitioned: z.object({}),
  eval_updated: z.object({
    changes: z.object({
      k: z.object({ from: z.int().min(1), to: z.int().min(1) }).optional(),
      /** Only a migration writes this: see `EvalSnapshot.twinOf`. */
      twinOf: z.object({ from: z.null(), to: z.string() }).optional(),
    }),
  }),
  trials_recorded: z.object({
    trials: z.array(
      z.object({
        id: z.string(),
        ...slot,
        modelRevision: z.string().nullable(),
        agent: z.string().nullable(),
        /** Missing in events of registry version 1. */
        agentRevision: z.string().nullable().default(null),
        provider: z.string().nullable(),
        ...result,
      }),
    ),
  }),
  trial_transitioned: z.object({ from: z.enum(TRIAL_STATUSES), ...result }),
  trial_retracted: z.object({ ...slot, status: z.enum(TRIAL_STATUSES) }),
} as const satisfies Record<EvalEventType, z.ZodType>;

/** The payload of one type of event. */
export type EvalPayloadOf<Type extends EvalEventType> = z.output<
  (typeof EVAL_EVENT_PAYLOADS)[Type]
>;
