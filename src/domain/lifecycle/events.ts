import * as z from "zod";
import type { StepEventType } from "./statuses.ts";
import {
  FIRST_KINDS,
  GATE_STATES,
  REVIEW_KINDS,
  REVIEW_OUTCOMES,
  RUN_STATES,
  STEP_KINDS,
  STEP_STATUSES,
  WORKER_TYPES,
} from "./statuses.ts";

/** The step that the event opens, and the step that was current before. */
const opened = z.object({
  kind: z.enum(STEP_KINDS),
  attempt: z.int().min(1),
  fromStepId: z.string().nullable(),
});

/** The runs that the event cancels, because their step is left or ends. */
const cancelledRuns = z.array(z.string());

const hold = z.object({ seq: z.int().min(1), gate: z.enum(GATE_STATES) });

const deferral = z.object({
  statuses: z.array(z.enum(STEP_STATUSES)),
  verdict: z.enum(REVIEW_OUTCOMES).nullable(),
});
const deferredReport = deferral.extend({ runId: z.string(), seq: z.int().min(1) });

/**
 * What became of a deferred report: it moved the step, it could not move it, a newer review contradicts its verdict, or
 * a decision about the step came first.
 */
export const DEFERRED_OUTCOMES = ["moved", "unmoved", "contradicted", "dropped"] as const;

/** The deferred reports that no longer wait after the event. */
const settled = z
  .array(deferredReport.extend({ outcome: z.enum(DEFERRED_OUTCOMES) }))
  .exactOptional();

/** What an event of a step changes in its hold and its deferred reports. */
export const holdChange = {
  /** Present if the hold begins, ends, or would return to another gate. */
  hold: z.object({ from: hold.nullable(), to: hold.nullable() }).exactOptional(),
  settled,
};

/** The reports that wait again, because the undone event had dropped them. */
const deferredAgain = z.array(deferredReport).exactOptional();

/** What an event that leaves a step ends there. */
const left = { endedHold: hold.exactOptional(), settled };

const fields = z.object({
  title: z.string(),
  externalId: z.string().nullable(),
  taxonomyCode: z.string().nullable(),
  priority: z.number(),
  assignee: z.string().nullable(),
});

const review = z.object({
  id: z.string(),
  outcome: z.enum(REVIEW_OUTCOMES),
  kind: z.enum(REVIEW_KINDS),
  sequence: z.int().min(1),
  stepId: z.string(),
});

function change<Value extends z.ZodType>(value: Value) {
  return z.object({ from: value, to: value }).exactOptional();
}

const transition = z.object({
  /** Present only if the new status ends the step. */
  cancelledRuns: cancelledRuns.exactOptional(),
  /** The payload of the caller, unchanged. */
  data: z.record(z.string(), z.unknown()).exactOptional(),
  /** The number of the event with the deferred report that the event carries out. */
  carriesOut: z.int().min(1).exactOptional(),
  ...holdChange,
});

/**
 * The payload of each event type. Together with the event's columns it holds everything that the fold and the label
 * need, so the history is enough to rebuild a task. Reads parse with these schemas; writes are typed by `PayloadOf`.
 */
export const EVENT_PAYLOADS = {
  task_created: fields.extend({
    contentHash: z.string(),
    opened,
    /** The task was imported. Its history says nothing about earlier stages. */
    imported: z.literal(true).exactOptional(),
  }),
  step_transitioned: transition,
  gate_changed: z.object(holdChange),
  step_advanced: z.object({ opened, cancelledRuns, ...left }),
  step_reworked: z.object({ opened, cancelledRuns, ...left }),
  version_created: z.object({
    version: z.object({
      number: z.int().min(2),
      contentHash: z.string(),
      firstKind: z.enum(FIRST_KINDS),
    }),
    opened,
    cancelledRuns,
    ...left,
  }),
  review_recorded: z.object({ review }),
  /** `undoes` is the seq of the event that recorded the review. The event also undoes the move that came with it. */
  review_withdrawn: z.object({ undoes: z.int().min(1), review, ...holdChange, deferredAgain }),
  worker_run_changed: z.object({
    run: z.object({
      id: z.string(),
      type: z.enum(WORKER_TYPES),
      state: z.enum(RUN_STATES),
      stepId: z.string(),
      /** Present if the report had one. */
      verdict: z.enum(REVIEW_OUTCOMES).exactOptional(),
    }),
    /** Present if the report would move the step, which is held or paused. */
    deferred: deferral.exactOptional(),
  }),
  bulk_transitioned: transition,
  /** `undoes` is the seq of the event that is undone: the previous event, which another bulk operation wrote. */
  bulk_reverted: z.object({
    undoes: z.int().min(1),
    cancelledRuns: cancelledRuns.exactOptional(),
    /** The review that the undone call recorded, if it recorded one. It no longer counts. */
    withdrawn: review.exactOptional(),
    ...holdChange,
    deferredAgain,
  }),
  task_updated: z.object({
    changes: z.object({
      title: change(fields.shape.title),
      externalId: change(fields.shape.externalId),
      taxonomyCode: change(fields.shape.taxonomyCode),
      priority: change(fields.shape.priority),
      assignee: change(fields.shape.assignee),
    }),
  }),
  task_archived: z.object({}),
  task_restored: z.object({}),
  note_added: z.object({ text: z.string() }),
  step_idled: z.object({}),
} as const satisfies Record<StepEventType, z.ZodType>;

/** The payload of one type of event. */
export type PayloadOf<Type extends StepEventType> = z.output<(typeof EVENT_PAYLOADS)[Type]>;
