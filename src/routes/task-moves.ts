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
import { MOVE_ERRORS, moved, optedIn, replyMoved, runAttachedWorkflows } from "./shapes/moved.ts";
import {
  assignee,
  firstKind,
  priority,
  stepKind,
  taskContent,
  taxonomyCode,
  title,
} from "./shapes/task.ts";

const taskParams = z.strictObject({ taskId: taskRef });

/** What the calls on one task have in common. */
const onTask = {
  tags: ["Steps and moves"],
  role: "operator",
  params: taskParams,
  response: { status: 200, description: "What the call did.", schema: moved, headers: ["ETag"] },
  idempotency: "optional",
  concurrency: true,
} as const;

const postAdvance = defineContract({
  ...onTask,
  operationId: "advanceTask",
  method: "POST",
  path: "/tasks/{taskId}/advance",
  summary: "Go on to the next stage",
  description: "Needs the current gate to be `passed` or `waived`. With `hold` the new step waits.",
  service: true,
  body: z
    .strictObject({ reason: reason.optional(), hold: z.boolean().optional(), runAttachedWorkflows })
    .openapi("AdvanceTask"),
  errors: [...MOVE_ERRORS, "gate_closed", "no_next_step"],
});

const postRework = defineContract({
  ...onTask,
  operationId: "reworkTask",
  method: "POST",
  path: "/tasks/{taskId}/rework",
  summary: "Go back to the same or an earlier stage",
  description:
    "Opens a new attempt and revokes the open gates from there on. Nothing is overwritten.",
  body: z.strictObject({ toKind: stepKind, reason, runAttachedWorkflows }).openapi("ReworkTask"),
  errors: [...MOVE_ERRORS, "invalid_transition"],
});

const postVersion = defineContract({
  ...onTask,
  operationId: "createVersion",
  method: "POST",
  path: "/tasks/{taskId}/versions",
  summary: "Make a new version",
  description: "Seals the active version with its steps and begins the next one.",
  tags: ["Tasks and versions"],
  body: z
    .strictObject({
      content: taskContent,
      reason,
      firstKind: firstKind.optional(),
      runAttachedWorkflows,
    })
    .openapi("CreateVersion"),
  response: {
    status: 201,
    description: "The version is active.",
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
  summary: "Edit a task's fields",
  description: "null takes a field away. What is the same already writes no event.",
  tags: ["Tasks and versions"],
  body: z
    .strictObject({
      title: title.optional(),
      externalId: externalId.nullable().optional(),
      taxonomyCode: taxonomyCode.nullable().optional(),
      priority: priority.optional(),
      assignee: assignee.nullable().optional(),
    })
    .refine((changes) => Object.keys(changes).length > 0, "Names at least one field.")
    .openapi("EditTask"),
  errors: [...MOVE_ERRORS, "conflict"],
});

const reasonAlone = z.strictObject({ reason: reason.optional() });

const postArchive = defineContract({
  ...onTask,
  operationId: "archiveTask",
  method: "POST",
  path: "/tasks/{taskId}/archive",
  summary: "Put a task away",
  description: "It is in no list, count or bulk change any more, and nothing of it is lost.",
  tags: ["Tasks and versions"],
  role: "reviewer",
  body: reasonAlone.openapi("ArchiveTask"),
  errors: ["not_found", "stale", "already_in_status"],
});

const postRestore = defineContract({
  ...onTask,
  operationId: "restoreTask",
  method: "POST",
  path: "/tasks/{taskId}/restore",
  summary: "Bring an archived task back",
  tags: ["Tasks and versions"],
  role: "reviewer",
  body: reasonAlone.openapi("RestoreTask"),
  errors: ["not_found", "stale", "already_in_status"],
});

const postNote = defineContract({
  ...onTask,
  operationId: "addNote",
  method: "POST",
  path: "/tasks/{taskId}/notes",
  summary: "Add a note to a task's history",
  tags: ["Tasks and versions"],
  body: z.strictObject({ text: reason.openapi({ description: "The note." }) }).openapi("AddNote"),
  response: { ...onTask.response, status: 201 },
  errors: ["not_found", "stale"],
});

export const taskMoveRoutes: readonly Route[] = [
  createHandler(postAdvance, async (call, { params, body }) =>
    replyMoved(
      await advanceTask(call, {
        ...body,
        task: params.taskId,
        runAttachedWorkflows: optedIn(body.runAttachedWorkflows, call.actor),
      }),
    ),
  ),
  createHandler(postRework, async (call, { params, body }) =>
    replyMoved(
      await reworkTask(call, {
        ...body,
        task: params.taskId,
        runAttachedWorkflows: optedIn(body.runAttachedWorkflows, call.actor),
      }),
    ),
  ),
  createHandler(postVersion, async (call, { params, body }) =>
    replyMoved(
      await createVersion(call, {
        ...body,
        task: params.taskId,
        runAttachedWorkflows: optedIn(body.runAttachedWorkflows, call.actor),
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
