import * as z from "zod";
import { addNote } from "../actions/moves/add-note.ts";
import { advanceTask } from "../actions/moves/advance-task.ts";
import { archiveTask, restoreTask } from "../actions/moves/archive-task.ts";
import { createVersion } from "../actions/moves/create-version.ts";
import { editTask } from "../actions/moves/edit-task.ts";
import { reworkTask } from "../actions/moves/rework-task.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { externalId, reason, taskRef } from "./http/schemas.ts";
import {
  MOVE_ERRORS,
  moved,
  runAttachedOrDefault,
  replyMoved,
  runAttachedWorkflows,
} from "./shapes/moved.ts";
import { firstKind, stageName } from "./shapes/stage.ts";
import { assignee, priority, taskContent, taxonomyCode, title } from "./shapes/task.ts";

const taskParams = z.strictObject({ taskId: taskRef });

/** The parts that the contracts in this file share. */
const onTask = {
  tags: ["Steps and moves"],
  role: "operator",
  params: taskParams,
  response: {
    status: 200,
    description: "The task after the change, and the events that the call wrote.",
    schema: moved,
    headers: ["ETag"],
  },
  idempotency: "optional",
  concurrency: true,
} as const;

const postAdvance = defineContract({
  ...onTask,
  operationId: "advanceTask",
  method: "POST",
  path: "/tasks/{taskId}/advance",
  summary: "Advance a task",
  description:
    "Opens a step at the next stage. The gate of the current step must be `passed` or `waived`; otherwise the call returns 409 `gate_closed`, as it does while a failed review of the step stands and the gate is not waived. The new step is `queued`, or `pending` with `hold: true`.",
  service: true,
  body: z
    .strictObject({ reason: reason.optional(), hold: z.boolean().optional(), runAttachedWorkflows })
    .openapi("AdvanceTask"),
  example: { reason: "The input is complete." },
  errors: [...MOVE_ERRORS, "gate_closed", "no_next_step"],
});

const postRework = defineContract({
  ...onTask,
  operationId: "reworkTask",
  method: "POST",
  path: "/tasks/{taskId}/rework",
  summary: "Rework a task",
  description:
    "Opens a new attempt of the current stage or an earlier one. Revokes the `passed` and `waived` gates from that stage on, and cancels open worker runs. Earlier attempts are kept.",
  body: z.strictObject({ toKind: stageName, reason, runAttachedWorkflows }).openapi("ReworkTask"),
  example: { toKind: "ingestion", reason: "The source file was wrong." },
  errors: [...MOVE_ERRORS, "invalid_transition"],
});

const postVersion = defineContract({
  ...onTask,
  operationId: "createVersion",
  method: "POST",
  path: "/tasks/{taskId}/versions",
  summary: "Create a version",
  description:
    "Creates the next version of the task with the given content, and opens its first step. Seals the previous version, so that its steps can no longer change. If the task is passed, delivered, rejected or a duplicate, this requires the role `reviewer`.",
  tags: ["Tasks and versions"],
  body: z
    .strictObject({
      content: taskContent,
      reason,
      firstKind: firstKind.optional(),
      runAttachedWorkflows,
    })
    .openapi("CreateVersion"),
  example: {
    content: { brief: "Janet's ducks lay 16 eggs per day. She eats three." },
    reason: "A number was missing.",
  },
  response: {
    status: 201,
    description: "The task with its new active version, and the events that the call wrote.",
    schema: moved,
    headers: ["ETag", "Location"],
  },
  errors: MOVE_ERRORS,
});

const patchTask = defineContract({
  ...onTask,
  operationId: "editTask",
  method: "PATCH",
  path: "/tasks/{taskId}",
  summary: "Update a task",
  description:
    "Sets the given fields. A null clears a field. If nothing changes, no event is written. Returns 409 `conflict` if another task has the external id.",
  tags: ["Tasks and versions"],
  body: z
    .strictObject({
      title: title.optional(),
      externalId: externalId.nullable().optional(),
      taxonomyCode: taxonomyCode.nullable().optional(),
      priority: priority.optional(),
      assignee: assignee.nullable().optional(),
    })
    .refine((changes) => Object.keys(changes).length > 0, "Set at least one field.")
    .openapi("EditTask"),
  example: { priority: 80, assignee: "Ada Lovelace" },
  errors: [...MOVE_ERRORS, "conflict"],
});

const onlyReason = z.strictObject({ reason: reason.optional() });

const postArchive = defineContract({
  ...onTask,
  operationId: "archiveTask",
  method: "POST",
  path: "/tasks/{taskId}/archive",
  summary: "Archive a task",
  description:
    "Removes the task from lists, counts, and bulk changes. Nothing is deleted, and you can restore the task. Returns 409 `already_in_status` if the task is already archived.",
  tags: ["Tasks and versions"],
  role: "reviewer",
  body: onlyReason.openapi("ArchiveTask"),
  example: { reason: "Imported twice." },
  errors: ["not_found", "stale", "already_in_status"],
});

const postRestore = defineContract({
  ...onTask,
  operationId: "restoreTask",
  method: "POST",
  path: "/tasks/{taskId}/restore",
  summary: "Restore a task",
  description:
    "Restores an archived task as it was. Returns 409 `already_in_status` if the task is not archived.",
  tags: ["Tasks and versions"],
  role: "reviewer",
  body: onlyReason.openapi("RestoreTask"),
  example: { reason: "It was archived by mistake." },
  errors: ["not_found", "stale", "already_in_status"],
});

const postNote = defineContract({
  ...onTask,
  operationId: "addNote",
  method: "POST",
  path: "/tasks/{taskId}/notes",
  summary: "Add a note to a task",
  description: "Adds a note to the task's history. The task's status does not change.",
  tags: ["Tasks and versions"],
  body: z
    .strictObject({
      text: reason.openapi({ description: "The text of the note, up to 2,000 characters." }),
    })
    .openapi("AddNote"),
  example: { text: "The author confirmed the answer." },
  response: { ...onTask.response, status: 201 },
  errors: ["not_found", "stale"],
});

export const taskMoveRoutes: readonly Route[] = [
  createHandler(postAdvance, async (call, { params, body }) =>
    replyMoved(
      await advanceTask(call, {
        ...body,
        task: params.taskId,
        runAttachedWorkflows: runAttachedOrDefault(body.runAttachedWorkflows, call.actor),
      }),
    ),
  ),
  createHandler(postRework, async (call, { params, body }) =>
    replyMoved(
      await reworkTask(call, {
        ...body,
        task: params.taskId,
        runAttachedWorkflows: runAttachedOrDefault(body.runAttachedWorkflows, call.actor),
      }),
    ),
  ),
  createHandler(postVersion, async (call, { params, body }) =>
    replyMoved(
      await createVersion(call, {
        ...body,
        task: params.taskId,
        runAttachedWorkflows: runAttachedOrDefault(body.runAttachedWorkflows, call.actor),
      }),
      ({ task }) => ({ location: `/v1/tasks/${task.id}/versions/${task.activeVersion.number}` }),
    ),
  ),
  createHandler(patchTask, async (call, { params, body }) =>
    replyMoved(await editTask(call, { task: params.taskId, changes: body })),
  ),
  createHandler(postArchive, async (call, { params, body }) =>
    replyMoved(await archiveTask(call, { task: params.taskId, ...body })),
  ),
  createHandler(postRestore, async (call, { params, body }) =>
    replyMoved(await restoreTask(call, { task: params.taskId, ...body })),
  ),
  createHandler(postNote, async (call, { params, body }) =>
    replyMoved(await addNote(call, { task: params.taskId, ...body })),
  ),
];
