import * as z from "zod";
import { changeGate } from "../actions/moves/change-gate.ts";
import { dispatchPipeline } from "../actions/dispatches/dispatch-pipeline.ts";
import { transitionStep } from "../actions/moves/transition-step.ts";
import { findStep, listSteps } from "../db/tasks/steps.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { metadata, reason, taskRef, uuid } from "./http/schemas.ts";
import {
  MOVE_ERRORS,
  moved,
  optedIn,
  pipelineName,
  replyMoved,
  runAttachedWorkflows,
} from "./shapes/moved.ts";
import { gateState, step, stepStatus } from "./shapes/task.ts";

const stepParams = z.strictObject({ stepId: uuid });

const listTaskSteps = defineContract({
  operationId: "listTaskSteps",
  method: "GET",
  path: "/tasks/{taskId}/steps",
  summary: "Every step of a task",
  description: "All attempts of all versions, in the order in which they were opened.",
  tags: ["Steps and moves"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  response: {
    status: 200,
    description: "The steps.",
    schema: z.strictObject({ data: z.array(step), nextCursor: z.null() }),
  },
  errors: ["not_found"],
});

const getStep = defineContract({
  operationId: "getStep",
  method: "GET",
  path: "/steps/{stepId}",
  summary: "One step",
  tags: ["Steps and moves"],
  role: "viewer",
  params: stepParams,
  response: { status: 200, description: "The step.", schema: step },
  errors: ["not_found"],
});

const patchStep = defineContract({
  operationId: "transitionStep",
  method: "PATCH",
  path: "/steps/{stepId}",
  summary: "Change a step's status",
  description:
    "Along the transition table of the step's kind. A move that the table does not have is 409 `invalid_transition` and tells what is allowed.",
  tags: ["Steps and moves"],
  role: "operator",
  params: stepParams,
  body: z
    .strictObject({
      status: stepStatus,
      reason: reason.optional(),
      payload: metadata.optional(),
      duplicateOf: taskRef.optional(),
      runAttachedWorkflows,
    })
    .openapi("TransitionStep"),
  response: { status: 200, description: "What the move did.", schema: moved, headers: ["ETag"] },
  errors: [
    ...MOVE_ERRORS,
    "invalid_transition",
    "gate_closed",
    "already_in_status",
    "step_not_current",
    "version_sealed",
  ],
  idempotency: "optional",
  concurrency: true,
});

const patchGate = defineContract({
  operationId: "changeGate",
  method: "PATCH",
  path: "/steps/{stepId}/gate",
  summary: "Change a step's gate by hand",
  description:
    "`waived`, `blocked` or `errored`; `revoked` from `waived` alone; and from a hand-made `blocked` back to the gate that the status implies. A verdict comes with a status, never by hand.",
  tags: ["Steps and moves"],
  role: "operator",
  params: stepParams,
  body: z.strictObject({ gate: gateState, reason: reason.optional() }).openapi("ChangeGate"),
  response: { status: 200, description: "What the change did.", schema: moved, headers: ["ETag"] },
  errors: [
    ...MOVE_ERRORS,
    "invalid_transition",
    "already_in_status",
    "step_not_current",
    "version_sealed",
  ],
  idempotency: "optional",
  concurrency: true,
});

const postDispatch = defineContract({
  operationId: "dispatchPipeline",
  method: "POST",
  path: "/steps/{stepId}/dispatch",
  summary: "Ask for a pipeline by hand",
  description:
    "One that is attached to the step's present state. While one is open it is 409 `conflict`.",
  tags: ["Steps and moves"],
  role: "operator",
  params: stepParams,
  body: z.strictObject({ pipeline: pipelineName, reason }).openapi("DispatchPipeline"),
  response: {
    status: 201,
    description: "It waits in the outbox.",
    schema: z.strictObject({ id: uuid, pipeline: pipelineName, state: z.literal("pending") }),
  },
  errors: [...MOVE_ERRORS, "invalid_transition", "conflict", "step_not_current", "version_sealed"],
  idempotency: "optional",
});

export const stepRoutes: readonly Route[] = [
  createHandler(listTaskSteps, async ({ database }, { params }) => {
    const steps = await listSteps(database, params.taskId);
    return steps === null ? refuse(notFound()) : reply({ data: steps, nextCursor: null });
  }),
  createHandler(getStep, async ({ database }, { params }) => {
    const found = await findStep(database, params.stepId);
    return found === null ? refuse(notFound()) : reply(found);
  }),
  createHandler(patchStep, async (call, { params, body }) =>
    replyMoved(
      await transitionStep(call, {
        ...body,
        stepId: params.stepId,
        runAttachedWorkflows: optedIn(body.runAttachedWorkflows, call.actor),
      }),
    ),
  ),
  createHandler(patchGate, async (call, { params, body }) =>
    replyMoved(await changeGate(call, { ...body, stepId: params.stepId })),
  ),
  createHandler(postDispatch, async (call, { params, body }) => {
    const outcome = await dispatchPipeline(call, { ...body, stepId: params.stepId });
    return outcome.ok ? reply(outcome.value.value, { replayed: outcome.value.replayed }) : outcome;
  }),
];
