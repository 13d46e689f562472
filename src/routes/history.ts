import * as z from "zod";
import { stepEventView, timelineView } from "../actions/views/event-view.ts";
import { listStepEvents, listTaskEvents, listTimeline } from "../db/history/events.ts";
import { verifyHistory } from "../db/history/history-chain.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { page, paging, taskRef, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { anyEvent, historyVerdict, stepEvent } from "./shapes/event.ts";

const ofTask = {
  method: "GET",
  tags: ["Status and history"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  errors: ["not_found"],
} as const;

const getTimeline = defineContract({
  ...ofTask,
  operationId: "getTaskTimeline",
  path: "/tasks/{taskId}/timeline",
  summary: "List a task's timeline",
  description:
    "Returns the events of a task and of its evals, in the order in which they were written. `stream` says which kind an event is.",
  query: z.strictObject(paging),
  response: {
    status: 200,
    description: "A page of the timeline, oldest first.",
    schema: page(anyEvent),
  },
  errors: ["not_found", "invalid_cursor"],
});

const getTaskEvents = defineContract({
  ...ofTask,
  operationId: "listTaskEvents",
  path: "/tasks/{taskId}/events",
  summary: "List a task's events",
  description:
    "Returns the events of a task. They are numbered from 1 without gaps, and each event's hash covers its own content and the hash of the previous event.",
  query: z.strictObject(paging),
  response: { status: 200, description: "A page of events, by `seq`.", schema: page(stepEvent) },
  errors: ["not_found", "invalid_cursor"],
});

const getStepEvents = defineContract({
  ...ofTask,
  operationId: "listStepEvents",
  path: "/steps/{stepId}/events",
  summary: "List a step's events",
  description: "Returns the events of the task that concern this step.",
  params: z.strictObject({ stepId: uuid }),
  query: z.strictObject(paging),
  response: { status: 200, description: "A page of events, by `seq`.", schema: page(stepEvent) },
  errors: ["not_found", "invalid_cursor"],
});

const getVerdict = defineContract({
  ...ofTask,
  operationId: "verifyTaskEvents",
  path: "/tasks/{taskId}/events/verify",
  summary: "Verify a task's history",
  description:
    "Rebuilds the canonical text of every event from its stored fields, recomputes the hash chain, and compares it with the head that is stored on the task.",
  response: {
    status: 200,
    description: "The result of the verification.",
    schema: historyVerdict,
  },
});

const seq = z.int();

export const historyRoutes: readonly Route[] = [
  createHandler(getTimeline, (call, { params, query }) =>
    answerPage(call, query, {
      operationId: getTimeline.operationId,
      filter: params,
      sort: "place",
      position: seq,
      read: (after, limit) =>
        listTimeline(call.database, params.taskId, { after: after ?? 0, limit }),
      positionOf: ({ place }) => place,
      itemOf: ({ event }) => timelineView(event),
    }),
  ),
  createHandler(getTaskEvents, (call, { params, query }) =>
    answerPage(call, query, {
      operationId: getTaskEvents.operationId,
      filter: params,
      sort: "seq",
      position: seq,
      read: (after, limit) =>
        listTaskEvents(call.database, params.taskId, { after: after ?? 0, limit }),
      positionOf: (event) => event.seq,
      itemOf: stepEventView,
    }),
  ),
  createHandler(getStepEvents, (call, { params, query }) =>
    answerPage(call, query, {
      operationId: getStepEvents.operationId,
      filter: params,
      sort: "seq",
      position: seq,
      read: (after, limit) =>
        listStepEvents(call.database, params.stepId, { after: after ?? 0, limit }),
      positionOf: (event) => event.seq,
      itemOf: stepEventView,
    }),
  ),
  createHandler(getVerdict, async ({ database }, { params }) => {
    const verdict = await verifyHistory(database, params.taskId);
    if (verdict === null) return refuse(notFound());
    return reply({ valid: verdict.firstBroken === null, ...verdict });
  }),
];
