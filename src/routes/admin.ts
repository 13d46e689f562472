import * as z from "zod";
import {
  type AdminEventFilter,
  listAdminEvents,
  readAdminEventChunk,
} from "../db/administration/admin-events.ts";
import { ADMIN_EVENT_TYPES, ADMIN_SUBJECTS } from "../domain/admin-events.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import {
  afterTime,
  type FilterQuery,
  page,
  safeText,
  timeOrDay,
  timestamp,
  uuid,
} from "./http/schemas.ts";
import { actor, sha256 } from "./shapes/event.ts";
import { answerEvents, bySeq, eventFilterQuery } from "./shapes/event-list.ts";

const TAGS = ["Administration"] as const;

const subjectKind = z.enum(ADMIN_SUBJECTS).openapi("AdminSubject");
const type = z.enum(ADMIN_EVENT_TYPES).openapi("AdminEventType");
const state = z.record(z.string(), z.unknown()).nullable();

const adminEvent = z
  .strictObject({
    seq: z.int().openapi({ description: "Its number in the tenant's administration, from 1." }),
    type,
    subject: z.strictObject({ kind: subjectKind, id: z.string() }).openapi({
      description:
        "What was changed: the id of a tenant, an API key or a person, or the name of a pipeline or a webhook.",
    }),
    actor,
    reason: z.string().nullable(),
    payload: z.looseObject({ before: state, after: state }).openapi({
      description:
        "The subject's public fields before and after the change, and details that depend on the event's type. Never contains a secret.",
    }),
    operationId: uuid,
    requestId: z.string(),
    at: timestamp,
    canonical: z.string().openapi({
      description: "The text that is hashed: `hash` is `sha256(prevHash || canonical)`.",
    }),
    prevHash: sha256,
    hash: sha256,
  })
  .openapi("AdminEvent");

const filterQuery = {
  ...eventFilterQuery(type),
  subjectKind: subjectKind.optional(),
  subjectId: safeText(200).optional(),
  actorId: safeText(200).optional().openapi({ description: "The id of one actor." }),
  createdAfter: afterTime.optional(),
  createdBefore: timeOrDay.optional(),
} satisfies FilterQuery<AdminEventFilter>;

const getEvents = defineContract({
  operationId: "listAdminEvents",
  method: "GET",
  path: "/admin/events",
  summary: "List administrative events",
  description:
    "Returns the changes of API keys, people, pipelines, webhooks and the tenant itself, by default the newest first: who changed what, when and why. The events form a hash chain of their own.",
  tags: TAGS,
  role: "admin",
  service: false,
  query: z.strictObject({ ...filterQuery, ...bySeq("-seq") }),
  response: { status: 200, description: "A page of events.", schema: page(adminEvent) },
  errors: ["invalid_cursor"],
});

const exports = exportRoutesOf({
  plural: "adminEvents",
  path: "/admin/events",
  role: "admin",
  tags: TAGS,
  description: "Exports the administrative events that match the filter, oldest first.",
  query: z.strictObject(filterQuery),
  read: ({ database }, filter, after: number | null) =>
    readAdminEventChunk(database, filter, after),
  columns: {
    seq: (event) => event.seq,
    type: (event) => event.type,
    subjectKind: (event) => event.subject.kind,
    subjectId: (event) => event.subject.id,
    actorId: (event) => event.actor.id,
    actorName: (event) => event.actor.name,
    actorKind: (event) => event.actor.kind,
    actorRole: (event) => event.actor.role,
    reason: (event) => event.reason,
    payload: (event) => JSON.stringify(event.payload),
    operationId: (event) => event.operationId,
    requestId: (event) => event.requestId,
    at: (event) => event.at,
    prevHash: (event) => event.prevHash,
    hash: (event) => event.hash,
  },
});

export const adminRoutes: readonly Route[] = [
  createHandler(getEvents, (call, { query }) =>
    answerEvents(call, query, {
      operationId: getEvents.operationId,
      read: (filter, range) => listAdminEvents(call.database, filter, range),
      positionOf: ({ seq }) => seq,
      itemOf: (event) => event,
    }),
  ),
  ...exports,
];
