import * as z from "zod";
import { type EvalEventType, TRIAL_STATUSES } from "./statuses.ts";

const slot = { k: z.int().min(1), model: z.string() };

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
  eval_created: z.object({ versionId: z.string(), name: z.string(), k: z.int().min(1) }),
  eval_transitioned: z.object({}),
  trials_recorded: z.object({
    trials: z.array(
      z.object({
        id: z.string(),
        ...slot,
        modelRevision: z.string().nullable(),
        agent: z.string().nullable(),
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
