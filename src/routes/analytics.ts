import * as z from "zod";
import { type AnalyticsFilter, listAnalyticsEvents } from "../db/stats/analytics.ts";
import { ANALYTICS_EVENTS } from "../domain/analytics.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { type FilterQuery, page, paging, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";

const eventName = z.enum(ANALYTICS_EVENTS).openapi("AnalyticsEventName");

const analyticsEvent = z
  .strictObject({
    id: uuid,
    name: eventName,
    bulkOperationId: uuid.nullable(),
    properties: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .openapi({ description: "The event's counts and attributes." }),
    revertedAt: timestamp.nullable().openapi({
      description: "When the change was reverted. Null if it was not.",
    }),
    at: timestamp,
  })
  .openapi("AnalyticsEvent");

const listEvents = defineContract({
  operationId: "listAnalyticsEvents",
  method: "GET",
  path: "/analytics/events",
  summary: "List product events",
  description:
    "Returns one event for each bulk change that moved tasks to a terminal label, newest first.",
  tags: ["Bulk changes"],
  role: "viewer",
  query: z.strictObject({
    ...paging,
    ...({ name: eventName.optional() } satisfies FilterQuery<AnalyticsFilter>),
  }),
  response: { status: 200, description: "A page of events.", schema: page(analyticsEvent) },
  errors: ["invalid_cursor"],
});

export const analyticsRoutes: readonly Route[] = [
  createHandler(listEvents, ({ database, ...call }, { query }) =>
    answerPage(call, query, {
      operationId: listEvents.operationId,
      filter: { name: query.name },
      sort: "-id",
      position: uuid,
      read: (after, limit) => listAnalyticsEvents(database, { name: query.name }, { after, limit }),
      positionOf: ({ id }) => id,
      itemOf: (event) => event,
    }),
  ),
];
