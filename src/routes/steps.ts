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
  runAttachedOrDefault,
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
  summary: "List a task's steps",
  description:
    "Returns every step of the task, with all attempts of all versions, in the order in which the steps were opened.",
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
  summary: "Retrieve a step",
  description: "Returns the step with its status and gate.",
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
    "Changes the status of the task's current step, as the transition table of the step's kind allows. Any other change returns 409 `invalid_transition` with the statuses in `allowed`. A duplicate can name the task that it duplicates, which must not be a duplicate, rejected or archived itself; a task that duplicates name cannot become one. Both return 409 `conflict`. `rejected` and `duplicate` require a `reason`. So does `approved` while a failed review of the step stands; it requires the role `reviewer`, and the call records a passed review before the approval.",
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
  example: { status: "running", reason: "A worker has started." },
  response: {
    status: 200,
    description: "The task after the change, and the events that the call wrote.",
    schema: moved,
    headers: ["ETag"],
  },
  errors: [
    ...MOVE_ERRORS,
    "invalid_transition",
    "gate_closed",
    "already_in_status",
    "conflict",
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
  summary: "Change a step's gate",
  description:
    "Sets the gate of the task's current step to `waived`, `blocked`, or `errored`. A `waived` gate can become `revoked`. `blocked` holds the step: until the hold ends, approving, advancing, waiving, and `errored` return 409 `gate_closed`, and the moves of workers' reports are deferred. Set the gate in the step's `hold` to end the hold; then the deferred moves are made. A verdict such as `passed` or `failed` follows from a status and cannot be set here. Every change requires a `reason`, except to `errored`.",
  tags: ["Steps and moves"],
  role: "operator",
  params: stepParams,
  body: z.strictObject({ gate: gateState, reason: reason.optional() }).openapi("ChangeGate"),
  example: { gate: "blocked", reason: "The source is being checked." },
  response: {
    status: 200,
    description: "The task after the change, and the events that the call wrote.",
    schema: moved,
    headers: ["ETag"],
  },
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

const postDispatch = defineContract({
  operationId: "dispatchPipeline",
  method: "POST",
  path: "/steps/{stepId}/dispatch",
  summary: "Dispatch a pipeline",
  description:
    "Requests a run of a pipeline that is attached to the step's current state, or that works on the stage of an idle step. Returns 409 `conflict` if a dispatch of this pipeline is still open, or if the version's payment was already requested.",
  tags: ["Steps and moves"],
  role: "operator",
  params: stepParams,
  body: z.strictObject({ pipeline: pipelineName, reason }).openapi("DispatchPipeline"),
  example: { pipeline: "quality_automation", reason: "The checker is available again." },
  response: {
    status: 201,
    description: "The dispatch, which waits in the outbox for its delivery.",
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
        runAttachedWorkflows: runAttachedOrDefault(body.runAttachedWorkflows, call.actor),
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
