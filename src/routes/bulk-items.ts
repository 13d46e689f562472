import * as z from "zod";
import { listedBulkItemView } from "../actions/views/bulk-views.ts";
import { type BulkItemFilter, readBulkItemChunk } from "../db/bulk/list-bulk-items.ts";
import { CHUNK_ROWS_MAX } from "../db/sql/chunks.ts";
import { BULK_OUTCOMES } from "../domain/bulk/outcomes.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import { answerPage } from "./http/paging.ts";
import { type FilterQuery, page, paging, uuid } from "./http/schemas.ts";
import { count, item } from "./shapes/bulk.ts";

const path = "/bulk/operations/{operationId}/items";
const tags = ["Bulk changes"] as const;
const params = z.strictObject({ operationId: uuid });

const filterQuery = {
  outcome: z.enum(BULK_OUTCOMES).optional(),
} satisfies FilterQuery<BulkItemFilter>;

const listItems = defineContract({
  operationId: "listBulkItems",
  method: "GET",
  path,
  summary: "List the items of a bulk operation",
  description: "Returns the outcome of each task of the operation.",
  tags,
  role: "viewer",
  params,
  query: z.strictObject({ ...paging, ...filterQuery }),
  response: {
    status: 200,
    description: "A page of items, in the order of the tasks in the request.",
    schema: page(
      z
        .strictObject({
          position: count,
          ...item,
          title: z.string().nullable().openapi({
            description: "The task's present title; null if there is no such task.",
          }),
          externalId: z.string().nullable().openapi({
            description: "The task's present external id; null if there is no such task.",
          }),
          error: z.string().nullable(),
        })
        .openapi("BulkOperationItem"),
    ),
  },
  errors: ["not_found", "invalid_cursor"],
});

const exports = exportRoutesOf({
  plural: "bulkItems",
  path,
  tags,
  description:
    "Exports the outcome of each task of the operation, in the order of the tasks in the request. The titles and external ids are those that the tasks have now. While the operation is running, an item can appear in its old or its new state.",
  params,
  query: z.strictObject(filterQuery),
  read: async ({ database }, filter, after: number | null, { operationId }) => {
    const page = { after, limit: CHUNK_ROWS_MAX };
    const chunk = await readBulkItemChunk(database, operationId, filter, page);
    return chunk && { rows: chunk.rows.map(listedBulkItemView), next: chunk.next };
  },
  columns: {
    position: (one) => one.position,
    taskId: (one) => one.taskId,
    externalId: (one) => one.externalId,
    title: (one) => one.title,
    outcome: (one) => one.outcome,
    code: (one) => one.code ?? null,
    from: (one) => one.from,
    to: (one) => one.to,
    eventSeq: (one) => one.eventSeq ?? null,
    allowed: (one) => one.allowed?.join(" ") ?? null,
    error: (one) => one.error,
  },
});

export const bulkItemRoutes: readonly Route[] = [
  createHandler(listItems, (call, { params: { operationId }, query }) => {
    const { limit, cursor, ...filter } = query;
    return answerPage(
      call,
      { limit, cursor },
      {
        operationId: listItems.operationId,
        filter: { operationId, ...filter },
        sort: "position",
        position: z.int().min(0),
        read: (after, rows) =>
          readBulkItemChunk(call.database, operationId, filter, { after, limit: rows }),
        positionOf: ({ position }) => position,
        itemOf: listedBulkItemView,
      },
    );
  }),
  ...exports,
];
