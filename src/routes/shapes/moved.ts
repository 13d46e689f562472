import * as z from "zod";
import type { Done } from "../../actions/call/call.ts";
import type { Moved } from "../../actions/moves/move-task.ts";
import type { Actor } from "../../domain/actor.ts";
import { PIPELINE_NAMES } from "../../domain/pipelines/pipelines.ts";
import { runsAttachedByDefault } from "../../domain/lifecycle/attached.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { type Answer, reply } from "../http/call.ts";
import { uuid } from "../http/schemas.ts";
import { stepEvent } from "./event.ts";
import { step, task } from "./task.ts";

export const pipelineName = z.enum(PIPELINE_NAMES).openapi("PipelineName");

/** The members in the response of every call that changes one task. */
export const movedFields = {
  task,
  step: step.openapi({ description: "The task's current step after the call." }),
  events: z.array(stepEvent).openapi({ description: "The events that the call wrote, in order." }),
  dispatched: z
    .array(z.strictObject({ id: uuid, pipeline: pipelineName }))
    .openapi({ description: "The pipeline runs that the call requested." }),
};
export const moved = z.strictObject(movedFields).openapi("Moved");

/** Whether the pipelines attached to a change run. The default depends on the caller's role. */
export const runAttachedWorkflows = z.boolean().optional().openapi({
  description:
    "Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role.",
});

/** Returns `runAttachedWorkflows` of a call on one task, or its default if it is absent. */
export function runAttachedOrDefault(flag: boolean | undefined, actor: Actor): boolean {
  return flag ?? runsAttachedByDefault({ role: actor.role, tasks: "one" });
}

/** The errors that every change of one task can return. */
export const MOVE_ERRORS = ["not_found", "archived", "stale"] as const;

/** Returns the response of a change of one task, with the task's new entity tag. */
export function replyMoved<Value extends Moved>(
  outcome: Outcome<Done<Value>>,
  headers?: (value: Value) => Record<string, string>,
): Answer<Value> {
  if (!outcome.ok) return outcome;
  const { value, replayed } = outcome.value;
  return reply(value, {
    etag: value.task.eventSeq,
    replayed,
    ...(headers && { headers: headers(value) }),
  });
}
