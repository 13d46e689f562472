import * as z from "zod";
import { PLANNED_TASKS_MAX } from "../actions/bulk/plan-in-parts.ts";
import { countTasks } from "../db/tasks/count-tasks.ts";
import { listTaskIds } from "../db/tasks/list-task-ids.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { uuid } from "./http/schemas.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";
import { attentionCode, unifiedStatus } from "./shapes/task.ts";

const count = z.int().min(0);

const getCounts = defineContract({
  operationId: "countTasks",
  method: "GET",
  path: "/tasks/counts",
  summary: "Count tasks by label and by attention",
  description:
    "Exactly, over the same filters as the list, at one moment. Every filter that is given holds for every figure, `unifiedStatus` and `attention` too: for figures to choose a label by, leave those two out and the others as they are. The labels add up to `total`; attention codes need not, since a task may have several or none.",
  tags: ["Tasks and versions"],
  role: "viewer",
  query: z.strictObject(taskFilterQuery),
  response: {
    status: 200,
    description: "A figure for each label and each code, those of nothing among them.",
    schema: z
      .strictObject({
        total: count,
        byUnifiedStatus: z.record(unifiedStatus, count),
        byAttention: z.record(attentionCode, count),
      })
      .openapi("TaskCounts"),
  },
});

const getIds = defineContract({
  operationId: "listTaskIds",
  method: "GET",
  path: "/tasks/ids",
  summary: "The ids of all tasks that match",
  description: `Over the same filters as the list, in one answer: the oldest first, at most ${PLANNED_TASKS_MAX}, which are those that a bulk preview of the filter takes.`,
  tags: ["Tasks and versions"],
  role: "viewer",
  query: z.strictObject(taskFilterQuery),
  response: {
    status: 200,
    description: "The ids.",
    schema: z
      .strictObject({
        ids: z.array(uuid),
        truncated: z.boolean().openapi({
          description: `Whether more tasks match than the ${PLANNED_TASKS_MAX} oldest.`,
        }),
      })
      .openapi("TaskIds"),
  },
});

export const countTaskRoutes: readonly Route[] = [
  createHandler(getCounts, async ({ database }, { query }) =>
    reply(await countTasks(database, query)),
  ),
  createHandler(getIds, async ({ database }, { query }) =>
    reply(await listTaskIds(database, query, PLANNED_TASKS_MAX)),
  ),
];
