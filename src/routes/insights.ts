import * as z from "zod";
import { openInsight } from "../actions/evals/open-insight.ts";
import { reportInsight } from "../actions/evals/report-insight.ts";
import { type InsightFilter, listInsights, readInsightChunk } from "../db/evals/insights.ts";
import { replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import {
  type FilterQuery,
  freeFormValue,
  name,
  page,
  paging,
  taskRef,
  uuid,
} from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { insight, modelName, runState, usage } from "./shapes/eval.ts";
import { makerDetailsInput, makerDetailsOf } from "./shapes/maker.ts";

const tags = ["Evals, trials, and insights"] as const;
const kind = name(100).openapi({ example: "completion" });

const postInsight = defineContract({
  operationId: "createInsight",
  method: "POST",
  path: "/insights",
  summary: "Create an insight",
  description:
    "Creates the record of an inference job. Its status is `QUEUED`, or `SUCCEEDED` if the request has an `output`. With `trialId`, the insight also belongs to the trial's eval.",
  tags,
  role: "admin",
  service: true,
  body: z
    .strictObject({
      taskId: taskRef,
      kind,
      model: modelName,
      ...makerDetailsInput,
      evalId: uuid.optional(),
      trialId: uuid.optional(),
      input: freeFormValue.optional(),
      output: freeFormValue.optional(),
      usage: usage.optional(),
    })
    .openapi("CreateInsight"),
  example: {
    taskId: "ext:gsm8k-0042",
    kind: "completion",
    model: "solver-7b",
    input: { prompt: "How many eggs are left?" },
  },
  response: { status: 201, description: "The insight.", schema: insight },
  errors: ["not_found", "archived"],
  idempotency: "optional",
});

const insightFilterQuery = {
  task: taskRef.optional(),
  evalId: uuid.optional(),
  trialId: uuid.optional(),
  kind: kind.optional(),
  status: runState.optional(),
  model: modelName.optional(),
  ...makerDetailsInput,
} satisfies FilterQuery<InsightFilter>;

const getInsights = defineContract({
  operationId: "listInsights",
  method: "GET",
  path: "/insights",
  summary: "List insights",
  description: "Returns the insights that match every given filter, newest first.",
  tags,
  role: "viewer",
  query: z.strictObject({
    ...insightFilterQuery,
    ...paging,
  }),
  response: { status: 200, description: "A page of insights.", schema: page(insight) },
  errors: ["invalid_cursor"],
});

const exports = exportRoutesOf({
  plural: "insights",
  tags,
  description:
    "Exports all insights that match the filter, each once, in the order in which they were created. In CSV, `input`, `output` and `usage` are JSON.",
  query: z.strictObject(insightFilterQuery),
  read: ({ database }, filter, after: string | null) => readInsightChunk(database, filter, after),
  columns: {
    id: (item) => item.id,
    taskId: (item) => item.taskId,
    evalId: (item) => item.evalId,
    trialId: (item) => item.trialId,
    kind: (item) => item.kind,
    model: (item) => item.model,
    modelRevision: (item) => item.modelRevision,
    agent: (item) => item.agent,
    agentRevision: (item) => item.agentRevision,
    provider: (item) => item.provider,
    status: (item) => item.status,
    input: (item) => jsonCell(item.input),
    output: (item) => jsonCell(item.output),
    usage: (item) => jsonCell(item.usage),
    createdAt: (item) => item.createdAt,
    updatedAt: (item) => item.updatedAt,
  },
});

const jsonCell = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

const patchInsight = defineContract({
  operationId: "reportInsight",
  method: "PATCH",
  path: "/insights/{insightId}",
  summary: "Report an insight's result",
  description:
    "Reports the status, the output, and the usage of an inference job. Repeating the current status changes nothing. After the job has ended, you can still report an output or a usage that is missing; a second report of either returns 409 `conflict`.",
  tags,
  role: "admin",
  service: true,
  params: z.strictObject({ insightId: uuid }),
  body: z
    .strictObject({
      status: runState.optional(),
      output: freeFormValue.optional(),
      usage: usage.optional(),
    })
    .openapi("ReportInsight"),
  example: { status: "SUCCEEDED", output: "Seventy-two." },
  response: { status: 200, description: "The insight.", schema: insight },
  errors: ["not_found", "invalid_transition", "conflict", "stale"],
  idempotency: "optional",
});

export const insightRoutes: readonly Route[] = [
  createHandler(postInsight, async (call, { body }) => {
    const { taskId, model, evalId = null, trialId = null, input, output } = body;
    return replyTo(
      await openInsight(call, {
        task: taskId,
        kind: body.kind,
        model,
        ...makerDetailsOf(body),
        evalId,
        trialId,
        input: input ?? null,
        output: output ?? null,
        usage: body.usage ?? null,
      }),
    );
  }),
  createHandler(getInsights, (call, { query: { limit, cursor, ...filter } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getInsights.operationId,
        filter,
        sort: "-id",
        position: uuid,
        read: (after, limit) => listInsights(call.database, filter, { after, limit }),
        positionOf: ({ id }) => id,
        itemOf: (row) => row,
      },
    ),
  ),
  createHandler(patchInsight, async (call, { params, body }) =>
    replyTo(await reportInsight(call, { ...params, ...body })),
  ),
  ...exports,
];
