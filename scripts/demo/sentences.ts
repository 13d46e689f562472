import { z } from "zod";
import { EVAL_EVENT_PAYLOADS } from "../../src/domain/evals/events.ts";
import { EVENT_PAYLOADS } from "../../src/domain/lifecycle/events.ts";
import { anyEvent } from "../../src/routes/shapes/event.ts";

export const timelinePage = z.object({
  data: z.array(anyEvent),
  nextCursor: z.string().nullable(),
});
type TimelineEvent = z.output<typeof timelinePage>["data"][number];
type StepEvent = Extract<TimelineEvent, { stream: "task" }>;
type EvalEvent = Extract<TimelineEvent, { stream: "eval" }>;

/** Returns an event's number in its history. An evaluation has its own history. */
export const positionOf = ({ stream, seq }: TimelineEvent) =>
  stream === "task" ? String(seq) : `eval ${seq}`;

/** Returns an event as an English sentence. */
export function sentenceOf(event: TimelineEvent): string {
  const action = event.stream === "task" ? describeStepEvent(event) : describeEvalEvent(event);
  const reason = event.reason === null ? "" : ` “${event.reason}”`;
  return `${event.actor.name} ${action}.${reason}`;
}

function describeStepEvent(event: StepEvent): string {
  const { payload, from, to } = event;
  const step = stepName(event);
  switch (event.type) {
    case "task_created": {
      const { title } = EVENT_PAYLOADS.task_created.parse(payload);
      return `created the task “${title}” with ${step} ${to}`;
    }
    case "step_transitioned":
      return `moved ${step} from ${from} to ${to}${gateOf(event)}`;
    case "bulk_transitioned":
      return `moved ${step} from ${from} to ${to}${gateOf(event)} in a bulk change`;
    case "bulk_reverted":
      return `reverted a bulk change: ${step} is ${to} again${gateOf(event)}`;
    case "gate_changed":
      return `set the gate of ${step} from ${event.fromGate} to ${event.toGate}`;
    case "step_advanced":
      return `advanced the task to ${step}, which is ${to}`;
    case "step_reworked":
      return `sent the task back to ${step}, which is ${to}`;
    case "version_created": {
      const { version } = EVENT_PAYLOADS.version_created.parse(payload);
      return `created version ${version.number}, which starts with ${step} ${to}`;
    }
    case "review_recorded": {
      const { review } = EVENT_PAYLOADS.review_recorded.parse(payload);
      const article = review.kind === "automated" ? "an automated" : "an expert";
      return `recorded ${article} review of ${step}: ${review.outcome}`;
    }
    case "review_withdrawn": {
      const { review } = EVENT_PAYLOADS.review_withdrawn.parse(payload);
      return `withdrew the ${review.outcome} review of ${step}, which is ${to}`;
    }
    case "worker_run_changed": {
      const { run } = EVENT_PAYLOADS.worker_run_changed.parse(payload);
      return `reported its ${run.type} run on ${step} as ${run.state}`;
    }
    case "task_updated": {
      const { changes } = EVENT_PAYLOADS.task_updated.parse(payload);
      return `changed ${Object.keys(changes).join(", ")}`;
    }
    case "task_archived":
      return "archived the task";
    case "task_restored":
      return "restored the task";
    case "note_added": {
      const { text } = EVENT_PAYLOADS.note_added.parse(payload);
      return `noted “${text}”`;
    }
    case "step_idled":
      return `found ${step} running without an open run`;
  }
}

function describeEvalEvent({ type, payload, from, to }: EvalEvent): string {
  switch (type) {
    case "eval_created": {
      const { name, k } = EVAL_EVENT_PAYLOADS.eval_created.parse(payload);
      return `created the evaluation “${name}” with k = ${k}, which is ${to}`;
    }
    case "eval_transitioned":
      return `moved the evaluation from ${from} to ${to}`;
    case "eval_updated": {
      const { k, twinOf } = EVAL_EVENT_PAYLOADS.eval_updated.parse(payload).changes;
      return [
        ...(k === undefined ? [] : [`raised k from ${k.from} to ${k.to}`]),
        ...(twinOf === undefined ? [] : ["marked the evaluation as the twin of a newer one"]),
      ].join(" and ");
    }
    case "trials_recorded": {
      const { trials } = EVAL_EVENT_PAYLOADS.trials_recorded.parse(payload);
      const passed = trials.filter(({ status }) => status === "passed");
      const models = passed.length === 0 ? "" : ` (${passed.map(({ model }) => model).join(", ")})`;
      return `recorded ${trials.length} trials, of which ${passed.length} passed${models}`;
    }
    case "trial_transitioned": {
      const trial = EVAL_EVENT_PAYLOADS.trial_transitioned.parse(payload);
      return `moved a trial from ${trial.from} to ${trial.status}`;
    }
    case "trial_retracted": {
      const { k, model } = EVAL_EVENT_PAYLOADS.trial_retracted.parse(payload);
      return `retracted trial ${k} of ${model}`;
    }
  }
}

function stepName({ step: { kind, attempt } }: StepEvent): string {
  return attempt === 1 ? kind : `${kind} (attempt ${attempt})`;
}

function gateOf({ fromGate, toGate }: StepEvent): string {
  return fromGate === toGate ? "" : ` (gate ${fromGate} → ${toGate})`;
}
