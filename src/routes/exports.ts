import { z } from "@hono/zod-openapi";
import { timelineView } from "../actions/views/event-view.ts";
import { type TaskView, taskView } from "../actions/views/task-view.ts";
import { readEventChunk } from "../db/feed.ts";
import { readTaskChunk } from "../db/list-tasks.ts";
import { exportRoutesOf } from "./exporting.ts";
import type { Route } from "./http/create-handler.ts";
import { taskRef, timestamp } from "./http/schemas.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";

const tasks = exportRoutesOf({
  plural: "tasks",
  tags: ["Tasks and versions"],
  description:
    "All tasks that match the filter, each once, in the order in which they were made, and each as it is when its part of the file is read: tasks that move meanwhile may be shown before or after their move.",
  query: z.strictObject(taskFilterQuery),
  read: async ({ database }, filter, after: string | null) => {
    const { rows, next } = await readTaskChunk(database, filter, after);
    return { rows: rows.map(taskView), next };
  },
  columns: {
    id: (task) => task.id,
    externalId: (task) => task.externalId,
    title: (task) => task.title,
    unifiedStatus: (task) => task.unifiedStatus,
    attention: (task: TaskView) => task.attention.join(" "),
    statusSince: (task) => task.statusSince,
    stepId: (task) => task.currentStep.id,
    stepKind: (task) => task.currentStep.kind,
    stepAttempt: (task) => task.currentStep.attempt,
    stepStatus: (task) => task.currentStep.status,
    gate: (task) => task.currentStep.gate,
    versionId: (task) => task.activeVersion.id,
    versionNumber: (task) => task.activeVersion.number,
    taxonomyCode: (task) => task.taxonomyCode,
    priority: (task) => task.priority,
    assignee: (task) => task.assignee,
    eventSeq: (task) => task.eventSeq,
    archivedAt: (task) => task.archivedAt,
    createdAt: (task) => task.createdAt,
    updatedAt: (task) => task.updatedAt,
  },
});

/** What every export takes of things that are written once and belong to a task. */
const written = {
  task: taskRef.optional(),
  createdAfter: timestamp.optional(),
  createdBefore: timestamp.optional(),
};

const events = exportRoutesOf({
  plural: "events",
  tags: ["Status and history"],
  description:
    "All events of tasks and evals that were written before the call and match the filter, in the order of the feed.",
  query: z.strictObject(written),
  read: async ({ database }, filter, after: Parameters<typeof readEventChunk>[2]) => {
    const { rows, next } = await readEventChunk(database, filter, after);
    return { rows: rows.map(timelineView), next };
  },
  columns: {
    stream: (event) => event.stream,
    taskId: (event) => event.taskId,
    evalId: (event) => (event.stream === "eval" ? event.evalId : null),
    trialId: (event) => (event.stream === "eval" ? event.trialId : null),
    seq: (event) => event.seq,
    type: (event) => event.type,
    versionId: (event) => (event.stream === "task" ? event.versionId : null),
    versionNumber: (event) => (event.stream === "task" ? event.versionNumber : null),
    stepId: (event) => (event.stream === "task" ? event.stepId : null),
    stepKind: (event) => (event.stream === "task" ? event.step.kind : null),
    stepAttempt: (event) => (event.stream === "task" ? event.step.attempt : null),
    from: (event) => event.from,
    to: (event) => event.to,
    fromGate: (event) => (event.stream === "task" ? event.fromGate : null),
    toGate: (event) => (event.stream === "task" ? event.toGate : null),
    actorId: (event) => event.actor.id,
    actorName: (event) => event.actor.name,
    actorKind: (event) => event.actor.kind,
    actorRole: (event) => event.actor.role,
    reason: (event) => event.reason,
    payload: (event) => JSON.stringify(event.payload),
    duplicateOf: (event) => (event.stream === "task" ? event.duplicateOf : null),
    runAttachedWorkflows: (event) => (event.stream === "task" ? event.runAttachedWorkflows : null),
    bulkOperationId: (event) => (event.stream === "task" ? event.bulkOperationId : null),
    operationId: (event) => event.operationId,
    requestId: (event) => event.requestId,
    registryVersion: (event) => event.registryVersion,
    at: (event) => event.at,
    prevHash: (event) => event.prevHash,
    hash: (event) => event.hash,
  },
});

export const exportRoutes: readonly Route[] = [...tasks, ...events];
