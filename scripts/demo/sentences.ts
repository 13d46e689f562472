import { z } from "zod";
import { EVENT_PAYLOADS } from "../../src/domain/lifecycle/events.ts";
import { evalEvent, stepEvent } from "../../src/routes/shapes/event.ts";

export const timelinePage = z.object({
  data: z.array(z.discriminatedUnion("stream", [stepEvent, evalEvent])),
  nextCursor: z.string().nullable(),
});
type TimelineEvent = z.output<typeof timelinePage>["data"][number];
type StepEvent = Extract<TimelineEvent, { stream: "task" }>;

/** Tells an event as somebody would who was there. */
export function sentenceOf(event: TimelineEvent): string {
  const what = event.stream === "task" ? deedOf(event) : `changed an evaluation (${event.type})`;
  const why = event.reason === null ? "" : ` “${event.reason}”`;
  return `${event.actor.name} ${what}.${why}`;
}

function deedOf(event: StepEvent): string {
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
      return `took a bulk change back: ${step} is ${to} again${gateOf(event)}`;
    case "gate_changed":
      return `set the gate of ${step} from ${event.fromGate} to ${event.toGate}`;
    case "step_advanced":
      return `advanced the task to ${step}, which is ${to}`;
    case "step_reworked":
      return `sent the task back to ${step}, which is ${to}`;
    case "version_created": {
      const { version } = EVENT_PAYLOADS.version_created.parse(payload);
      return `made version ${version.number}, which begins with ${step} ${to}`;
    }
    case "review_recorded": {
      const { review } = EVENT_PAYLOADS.review_recorded.parse(payload);
      const article = review.kind === "automated" ? "an automated" : "an expert";
      return `recorded ${article} review of ${step}: ${review.outcome}`;
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
  }
}

function stepName({ step: { kind, attempt } }: StepEvent): string {
  return attempt === 1 ? kind : `${kind} (attempt ${attempt})`;
}

function gateOf({ fromGate, toGate }: StepEvent): string {
  return fromGate === toGate ? "" : ` (gate ${fromGate} → ${toGate})`;
}
