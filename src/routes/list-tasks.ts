import * as z from "zod";
import { taskView } from "../actions/views/task-view.ts";
import {
  LIVE_SORT_MAX,
  listTasks,
  listTasksLive,
  TASK_SORTS,
  type TaskSort,
} from "../db/tasks/list-tasks.ts";
import type { TaskFilter } from "../db/tasks/task-filter.ts";
import { type Call, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { page, paging, uuid } from "./http/schemas.ts";
import { answerPage, readPage } from "./http/paging.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";
import { task } from "./shapes/task.ts";

type SortOrder = TaskSort | `-${TaskSort}`;
const SORT_ORDERS: SortOrder[] = TASK_SORTS.flatMap((sort) => [sort, `-${sort}` as const]);
const SORT_SOURCES = ["live", "materialized"] as const;

const getTasks = defineContract({
  operationId: "listTasks",
  method: "GET",
  path: "/tasks",
  summary: "List tasks",
  description: `Returns the tasks that match every given filter. With \`sort=unifiedStatus\` and \`sortSource=live\`, labels are computed at the time of the request for the newest ${LIVE_SORT_MAX} matching tasks, and \`sortTruncated\` is \`true\` if more tasks match. \`sortSource=materialized\` sorts by stored labels and has no such limit.`,
  tags: ["Tasks and versions"],
  role: "viewer",
  query: z.strictObject({
    ...taskFilterQuery,
    sort: z.enum(SORT_ORDERS).default("-createdAt").openapi({
      description: "The field to sort by. A leading `-` sorts in descending order.",
    }),
    sortSource: z.enum(SORT_SOURCES).default("live").openapi({
      description: "The source of the labels when you sort by `unifiedStatus`.",
    }),
    ...paging,
  }),
  response: {
    status: 200,
    description: "A page of tasks.",
    schema: page(task)
      .extend({
        sortTruncated: z
          .literal(true)
          .optional()
          .openapi({
            description: `Present if more than ${LIVE_SORT_MAX} tasks match. Only the newest ones were sorted.`,
          }),
      })
      .openapi("TaskPage"),
    headers: ["X-Unified-Sort-Truncated"],
  },
  errors: ["invalid_cursor"],
});

export const listTaskRoutes: readonly Route[] = [
  createHandler(getTasks, (call, { query }) => {
    const { sort: order, sortSource, limit, cursor, ...filter } = query;
    const descending = order.startsWith("-");
    const sort = sortOf(order);
    const listing = { filter, sort, descending, page: { limit, cursor } };
    return sort === "unifiedStatus" && sortSource === "live"
      ? answerLive(call, listing)
      : answerStored(call, listing);
  }),
];

interface TaskListing {
  filter: TaskFilter;
  sort: TaskSort;
  descending: boolean;
  page: { limit: number; cursor: string | undefined };
}

const position = { key: z.string(), id: uuid };
const liveWindow = z.object({ newest: uuid, oldest: uuid, truncated: z.boolean() });

function answerStored(call: Call, { filter, sort, descending, page: requested }: TaskListing) {
  return answerPage(call, requested, {
    operationId: getTasks.operationId,
    filter,
    sort: `${descending ? "-" : ""}${sort}`,
    position: z.object(position),
    read: (after, limit) => listTasks(call.database, filter, { sort, descending, after, limit }),
    positionOf: (row) => ({ key: row.key, id: row.task.id }),
    itemOf: (row) => taskView(row.task),
  });
}

async function answerLive(call: Call, { filter, descending, page: requested }: TaskListing) {
  const found = await readPage(call, requested, {
    operationId: getTasks.operationId,
    filter,
    sort: `${descending ? "-" : ""}live`,
    position: z.object({ ...position, window: liveWindow }),
    read: (after, limit) =>
      listTasksLive(call.database, filter, {
        window: after?.window ?? null,
        descending,
        after,
        limit,
      }),
    positionOf: (row) => ({ key: row.key, id: row.task.id, window: row.window }),
  });
  if (!found.ok) return found;
  const { rows, after, nextCursor } = found.value;
  const body = { data: rows.map((row) => taskView(row.task)), nextCursor };
  const window = after?.window ?? rows[0]?.window;
  if (window?.truncated !== true) return reply(body);
  const headers = { "x-unified-sort-truncated": "true" };
  return reply({ ...body, sortTruncated: true as const }, { headers });
}

function sortOf(order: SortOrder): TaskSort {
  const name = order.replace(/^-/, "");
  const sort = TASK_SORTS.find((known) => known === name);
  if (sort === undefined) throw new Error(`Unknown sort order: ${order}`);
  return sort;
}
