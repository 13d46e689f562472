import * as z from "zod";
import { trialView } from "../actions/views/eval-view.ts";
import { timelineView } from "../actions/views/event-view.ts";
import { type TaskView, taskView } from "../actions/views/task-view.ts";
import { readTrialChunk, type TrialExportFilter } from "../db/evals/evals.ts";
import { type EventFilter, readEventChunk } from "../db/history/feed.ts";
import { readTaskChunk } from "../db/tasks/list-tasks.ts";
import { readPromptChunk } from "../db/content/prompts.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import type { Route } from "./http/create-handler.ts";
import { afterTime, type FilterQuery, taskRef, timeOrDay, uuid } from "./http/schemas.ts";
import { trialFilterQuery } from "./shapes/eval.ts";
import { promptFilterQuery } from "./shapes/prompt-filter.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";

const tasks = exportRoutesOf({
  plural: "tasks",
  tags: ["Tasks and versions"],
  description:
    "Exports all tasks that match the filter, each once, in the order in which they were created. The export is not a snapshot: a task that changes during the export can appear in its old or its new state.",
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

const events = exportRoutesOf({
  plural: "events",
  tags: ["Status and history"],
  description:
    "Exports all events of tasks and evals that match the filter and were written before the call, in the order of the feed.",
  query: z.strictObject({
    task: taskRef.optional(),
    createdAfter: afterTime.optional(),
    createdBefore: timeOrDay.optional(),
  } satisfies FilterQuery<EventFilter>),
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

const trials = exportRoutesOf({
  plural: "trials",
  tags: ["Evals, trials, and insights"],
  description:
    "Exports all trials that match the filter, including retracted ones, each once, in the order in which they were recorded.",
  query: z.strictObject({
    task: taskRef.optional(),
    evalId: uuid.optional(),
    ...trialFilterQuery,
  } satisfies FilterQuery<TrialExportFilter>),
  read: async ({ database }, filter, after: string | null) => {
    const { rows, next } = await readTrialChunk(database, filter, after);
    return { rows: rows.map(trialView), next };
  },
  columns: {
    id: (trial) => trial.id,
    evalId: (trial) => trial.evalId,
    taskId: (trial) => trial.taskId,
    k: (trial) => trial.k,
    model: (trial) => trial.model,
    modelRevision: (trial) => trial.modelRevision,
    agent: (trial) => trial.agent,
    agentRevision: (trial) => trial.agentRevision,
    provider: (trial) => trial.provider,
    status: (trial) => trial.status,
    passed: (trial) => trial.passed,
    score: (trial) => trial.score,
    error: (trial) => trial.error,
    outputDataId: (trial) => trial.outputDataId,
    retractedAt: (trial) => trial.retractedAt,
    retractedBy: (trial) => trial.retractedBy,
    retractReason: (trial) => trial.retractReason,
    eventSeq: (trial) => trial.eventSeq,
    createdAt: (trial) => trial.createdAt,
  },
});

const prompts = exportRoutesOf({
  plural: "prompts",
  tags: ["Prompts and data"],
  description:
    "Exports all prompts that match the filter, each once, in the order in which they were recorded.",
  query: z.strictObject(promptFilterQuery),
  read: ({ database }, filter, after: string | null) => readPromptChunk(database, filter, after),
  columns: {
    id: (prompt) => prompt.id,
    taskId: (prompt) => prompt.taskId,
    versionId: (prompt) => prompt.versionId,
    stepId: (prompt) => prompt.stepId,
    role: (prompt) => prompt.role,
    content: (prompt) => prompt.content,
    contentHash: (prompt) => prompt.contentHash,
    model: (prompt) => prompt.model,
    modelRevision: (prompt) => prompt.modelRevision,
    agent: (prompt) => prompt.agent,
    agentRevision: (prompt) => prompt.agentRevision,
    provider: (prompt) => prompt.provider,
    evalId: (prompt) => prompt.evalId,
    trialId: (prompt) => prompt.trialId,
    createdAt: (prompt) => prompt.createdAt,
  },
});

export const exportRoutes: readonly Route[] = [...tasks, ...events, ...trials, ...prompts];
