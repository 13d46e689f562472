import * as z from "zod";
import { recordPrompt } from "../actions/content/record-prompt.ts";
import {
  listPrompts,
  listPromptsBy,
  PROMPT_SORTS,
  type PromptRecord,
} from "../db/content/prompts.ts";
import { replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { name, page, paging, safeText, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { makerInput, makerOutput } from "./shapes/maker.ts";
import { promptFilterQuery } from "./shapes/prompt-filter.ts";

/** In UTF-16 code units, each of which takes up to three bytes in UTF-8. */
const CONTENT_MAX = 200_000;

const prompt = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    stepId: uuid,
    role: z.string(),
    content: z.string(),
    contentHash: z.string().openapi({
      description: "The SHA-256 of the content in UTF-8, in hex.",
    }),
    ...makerOutput,
    evalId: uuid.nullable(),
    trialId: uuid.nullable(),
    createdAt: timestamp,
  })
  .openapi("Prompt");

const postPrompt = defineContract({
  operationId: "recordPrompt",
  method: "POST",
  path: "/tasks/{taskId}/prompts",
  summary: "Record a prompt",
  description:
    "Records a prompt or a model's reply. It belongs to the task's current step, unless `stepId` names another step of the task. The eval and the trial must belong to the task.",
  tags: ["Prompts and data"],
  role: "operator",
  service: true,
  params: z.strictObject({ taskId: taskRef }),
  body: z
    .strictObject({
      role: name(100).openapi({
        description:
          "The author of the text: `system`, `user`, `assistant`, `tool`, or a name of your own.",
        example: "user",
      }),
      content: safeText(CONTENT_MAX).min(1),
      stepId: uuid.optional(),
      ...makerInput,
      evalId: uuid.optional(),
      trialId: uuid.optional(),
    })
    .openapi("RecordPrompt"),
  example: { role: "user", content: "How many eggs are left?", model: "solver-7b" },
  response: { status: 201, description: "The prompt.", schema: prompt },
  errors: ["not_found"],
  idempotency: "optional",
});

const SORT_ORDERS = ["createdAt", ...PROMPT_SORTS].flatMap((sort) => [sort, `-${sort}`]);

const getPrompts = defineContract({
  operationId: "listPrompts",
  method: "GET",
  path: "/prompts",
  summary: "List prompts",
  description:
    "Returns the prompts that match every given filter, by default the newest first. A page can have fewer prompts than `limit` if they are long.",
  tags: ["Prompts and data"],
  role: "viewer",
  query: z.strictObject({
    ...promptFilterQuery,
    sort: z.enum(SORT_ORDERS).default("-createdAt").openapi({
      description:
        "The field to sort by, and then by id. A leading `-` sorts in descending order. Prompts without the field come last in either order.",
    }),
    ...paging,
  }),
  response: { status: 200, description: "A page of prompts.", schema: page(prompt) },
  errors: ["invalid_cursor"],
});

export const promptRoutes: readonly Route[] = [
  createHandler(postPrompt, async (call, { params, body }) =>
    replyTo(await recordPrompt(call, { task: params.taskId, ...body })),
  ),
  createHandler(getPrompts, (call, { query }) => {
    const { limit, cursor, sort: order, ...filter } = query;
    const descending = order.startsWith("-");
    const sort = PROMPT_SORTS.find((known) => known === order.replace("-", ""));
    const listing = {
      operationId: getPrompts.operationId,
      filter,
      itemOf: (row: PromptRecord) => row,
    };
    if (sort === undefined) {
      return answerPage(
        call,
        { limit, cursor },
        {
          ...listing,
          sort: descending ? "-id" : "id",
          position: uuid,
          read: (after, rows) =>
            listPrompts(call.database, filter, { after, limit: rows, descending }),
          positionOf: ({ id }) => id,
        },
      );
    }
    return answerPage(
      call,
      { limit, cursor },
      {
        ...listing,
        sort: order,
        position: z.object({ key: z.string().nullable(), id: uuid }),
        read: (after, rows) =>
          listPromptsBy(call.database, filter, { sort, after, limit: rows, descending }),
        positionOf: (row) => ({ key: row[sort], id: row.id }),
      },
    );
  }),
];
