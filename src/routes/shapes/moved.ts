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

/** What every call that changes one task answers. */
export const movedFields = {
  task,
  step: step.openapi({ description: "The step that is current now." }),
  events: z.array(stepEvent).openapi({ description: "What the call wrote, in order." }),
  dispatched: z
    .array(z.strictObject({ id: uuid, pipeline: pipelineName }))
    .openapi({ description: "The pipelines that the call asked for." }),
};
export const moved = z.strictObject(movedFields).openapi("Moved");

/** Whether the pipelines attached to a move run; what its absence means depends on who calls. */
export const runAttachedWorkflows = z.boolean().optional().openapi({
  description:
    "Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false.",
});

/** The flag of a call on one task, filled in where it is absent. */
export function optedIn(flag: boolean | undefined, actor: Actor): boolean {
  return flag ?? runsAttachedByDefault({ role: actor.role, tasks: "one" });
}

/** The errors that any change of one task may meet. */
export const MOVE_ERRORS = ["not_found", "archived", "stale"] as const;

/** Answers what a change of one task did, with the task's new entity tag. */
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
