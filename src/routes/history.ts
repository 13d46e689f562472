import * as z from "zod";
import { stepEventView, timelineView } from "../actions/views/event-view.ts";
import {
  listStepEvents,
  listTaskEvents,
  listTimeline,
  type StepEventFilter,
  type TimelineFilter,
} from "../db/history/list-events.ts";
import { verifyHistory } from "../db/history/history-chain.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { type FilterQuery, page, taskRef, uuid } from "./http/schemas.ts";
import {
  anyEvent,
  anyEventType,
  historyVerdict,
  stepEvent,
  stepEventType,
} from "./shapes/event.ts";
import { answerEvents, bySeq, byTime, eventFilterQuery } from "./shapes/event-list.ts";

const ofTask = {
  method: "GET",
  tags: ["Status and history"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  errors: ["not_found"],
} as const;

const stepEventQuery = z.strictObject({
  ...(eventFilterQuery(stepEventType) satisfies FilterQuery<StepEventFilter>),
  ...bySeq(),
});

const getTimeline = defineContract({
  ...ofTask,
  operationId: "getTaskTimeline",
  path: "/tasks/{taskId}/timeline",
  summary: "List a task's timeline",
  description:
    "Returns the events of a task and of its evals that match every given filter, in the order in which they were written, or with `sort=-at` the newest first. `stream` says which kind an event is.",
  query: z.strictObject({
    ...(eventFilterQuery(anyEventType) satisfies FilterQuery<TimelineFilter>),
    ...byTime,
  }),
  response: {
    status: 200,
    description: "A page of the timeline, oldest first unless `sort` says otherwise.",
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
    "Returns the events of a task that match every given filter. They are numbered from 1 without gaps, and each event's hash covers its own content and the hash of the previous event.",
  query: stepEventQuery,
  response: { status: 200, description: "A page of events, by `seq`.", schema: page(stepEvent) },
  errors: ["not_found", "invalid_cursor"],
});

const getStepEvents = defineContract({
  ...ofTask,
  operationId: "listStepEvents",
  path: "/steps/{stepId}/events",
  summary: "List a step's events",
  description:
    "Returns the events of the task that concern this step and match every given filter.",
  params: z.strictObject({ stepId: uuid }),
  query: stepEventQuery,
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

export const historyRoutes: readonly Route[] = [
  createHandler(getTimeline, (call, { params, query }) =>
    answerEvents(call, query, {
      operationId: getTimeline.operationId,
      params,
      read: (filter, range) => listTimeline(call.database, params.taskId, filter, range),
      positionOf: ({ place }) => place,
      itemOf: ({ event }) => timelineView(event),
    }),
  ),
  createHandler(getTaskEvents, (call, { params, query }) =>
    answerEvents(call, query, {
      operationId: getTaskEvents.operationId,
      params,
      read: (filter, range) => listTaskEvents(call.database, params.taskId, filter, range),
      positionOf: ({ seq }) => seq,
      itemOf: stepEventView,
    }),
  ),
  createHandler(getStepEvents, (call, { params, query }) =>
    answerEvents(call, query, {
      operationId: getStepEvents.operationId,
      params,
      read: (filter, range) => listStepEvents(call.database, params.stepId, filter, range),
      positionOf: ({ seq }) => seq,
      itemOf: stepEventView,
    }),
  ),
  createHandler(getVerdict, async ({ database }, { params }) => {
    const verdict = await verifyHistory(database, params.taskId);
    if (verdict === null) return refuse(notFound());
    return reply({ valid: verdict.firstBroken === null, ...verdict });
  }),
];
