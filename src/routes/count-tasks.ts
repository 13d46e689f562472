import * as z from "zod";
import { countTasks } from "../db/tasks/count-tasks.ts";
import { listTaskIds } from "../db/tasks/list-task-ids.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { uuid } from "./http/schemas.ts";
import { taskFilterQuery } from "./shapes/task-filter.ts";
import { attentionCode, unifiedStatus } from "./shapes/task.ts";
import { PLANNED_TASKS_MAX } from "../domain/bulk/limits.ts";

const count = z.int().min(0);

const getCounts = defineContract({
  operationId: "countTasks",
  method: "GET",
  path: "/tasks/counts",
  summary: "Count tasks by label and attention code",
  description:
    "Returns exact counts of the tasks that match the filters, all from one snapshot. Every filter applies to every count, including `unifiedStatus` and `attention`; omit those two to count all labels, for example for a label picker. The counts by label add up to `total`. The counts by attention code do not, because a task can have several codes or none.",
  tags: ["Tasks and versions"],
  role: "viewer",
  query: z.strictObject(taskFilterQuery),
  response: {
    status: 200,
    description: "Counts for every label and attention code, including zeros.",
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
  summary: "List the ids of matching tasks",
  description: `Returns the ids of all tasks that match the filters in one response, oldest first, up to ${PLANNED_TASKS_MAX}. A bulk preview with the same filter covers the same tasks.`,
  tags: ["Tasks and versions"],
  role: "viewer",
  query: z.strictObject(taskFilterQuery),
  response: {
    status: 200,
    description: "The task ids.",
    schema: z
      .strictObject({
        ids: z.array(uuid),
        truncated: z.boolean().openapi({
          description: `Whether more than ${PLANNED_TASKS_MAX} tasks match.`,
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
