import { z } from "@hono/zod-openapi";
import { findVersion, listVersions } from "../db/versions.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { integerText, page, paging, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./paging.ts";
import { taskContent } from "./shapes/task.ts";

const versionFields = {
  id: uuid,
  taskId: uuid,
  number: z.int(),
  contentHash: z.string().openapi({ description: "SHA-256 of the content, in hex." }),
  currentStepId: uuid.openapi({ description: "Where the version stands, or stood when sealed." }),
  reason: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timestamp,
  sealedAt: timestamp.nullable().openapi({ description: "null for the active version." }),
};

const getVersions = defineContract({
  operationId: "listTaskVersions",
  method: "GET",
  path: "/tasks/{taskId}/versions",
  summary: "The versions of a task",
  description: "By number, without their contents.",
  tags: ["Tasks and versions"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  query: z.strictObject(paging),
  response: {
    status: 200,
    description: "A page of versions.",
    schema: page(z.strictObject(versionFields).openapi("VersionSummary")),
  },
  errors: ["not_found", "invalid_cursor"],
});

const getVersion = defineContract({
  operationId: "getTaskVersion",
  method: "GET",
  path: "/tasks/{taskId}/versions/{number}",
  summary: "One version with its content",
  tags: ["Tasks and versions"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef, number: integerText(1, 1_000_000) }),
  response: {
    status: 200,
    description: "The version.",
    schema: z.strictObject({ ...versionFields, content: taskContent }).openapi("Version"),
  },
  errors: ["not_found"],
});

export const versionRoutes: readonly Route[] = [
  createHandler(getVersions, (call, { params, query }) =>
    answerPage(call, query, {
      operationId: getVersions.operationId,
      filter: params,
      sort: "number",
      position: z.int(),
      read: (after, limit) =>
        listVersions(call.database, params.taskId, { after: after ?? 0, limit }),
      positionOf: ({ number }) => number,
      itemOf: (version) => version,
    }),
  ),
  createHandler(getVersion, async ({ database }, { params }) => {
    const version = await findVersion(database, params.taskId, params.number);
    return version === null ? refuse(notFound()) : reply(version);
  }),
];
