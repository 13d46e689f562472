import * as z from "zod";
import { putPipeline } from "../actions/dispatches/put-pipeline.ts";
import { rotatePipelineSecret } from "../actions/secrets/rotate-secret.ts";
import { listPipelines } from "../db/dispatches/pipelines.ts";
import { PIPELINE_NAMES, PIPELINES } from "../domain/pipelines/pipelines.ts";
import { WORKER_TYPES } from "../domain/lifecycle/statuses.ts";
import { ENDPOINT_LENGTH_MAX } from "../outbound/endpoint-rules.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { safeText, timestamp } from "./http/schemas.ts";
import { pipelineName } from "./shapes/moved.ts";
import { previousSecretUntil, ROTATION, secret } from "./shapes/secret.ts";

const tags = ["Pipelines"] as const;

const TIMEOUT_SECONDS_DEFAULT = 10;
const TIMEOUT_SECONDS_MAX = 30;
const RUN_DEADLINE_SECONDS_DEFAULT = 60 * 60;
const RUN_DEADLINE_SECONDS_MIN = 60;
const RUN_DEADLINE_SECONDS_MAX = 7 * 24 * 60 * 60;

const pipelineFields = {
  name: pipelineName,
  endpoint: z.string().nullable().openapi({
    description: "Where it is called; null where its runs wait for workers that poll.",
  }),
  previousSecretUntil,
  timeoutSeconds: z.int(),
  runDeadlineSeconds: z.int().openapi({
    description: "How long a run may go without a report before it is closed as failed.",
  }),
};

const pipeline = z
  .strictObject({
    ...pipelineFields,
    workerType: z.enum(WORKER_TYPES).openapi("WorkerType"),
    updatedAt: timestamp.nullable().openapi({ description: "Null where nobody gave it settings." }),
  })
  .openapi("Pipeline");

const pipelineWithSecret = z
  .strictObject({
    ...pipelineFields,
    updatedAt: timestamp,
    secret,
  })
  .openapi("PipelineWithSecret");

const onPipeline = z.strictObject({ name: pipelineName });

const getPipelines = defineContract({
  operationId: "listPipelines",
  method: "GET",
  path: "/pipelines",
  summary: "The four pipelines and their settings",
  description: "All of them, also those that nobody gave settings. No secret is ever shown here.",
  tags,
  role: "admin",
  service: false,
  response: {
    status: 200,
    description: "The pipelines.",
    schema: z.strictObject({ data: z.array(pipeline), nextCursor: z.null() }),
  },
});

const put = defineContract({
  operationId: "putPipeline",
  method: "PUT",
  path: "/pipelines/{name}",
  summary: "Say where a pipeline is called",
  description:
    "With an endpoint each dispatch is posted there, signed as Standard Webhooks has it; without one its run waits for a worker that polls. The first secret is made here and shown once, unless you bring one. Another one that you bring takes the place of the present one, which signs along for 24 hours.",
  tags,
  role: "admin",
  params: onPipeline,
  body: z
    .strictObject({
      endpoint: safeText(ENDPOINT_LENGTH_MAX).nullable().openapi({
        description: "https, and a public host; null for workers that poll.",
        example: "https://checks.example.com/stepledger",
      }),
      secret: safeText(100).optional().openapi({
        description: "`whsec_` and 24 to 64 bytes in Base64.",
      }),
      timeoutSeconds: z.int().min(1).max(TIMEOUT_SECONDS_MAX).default(TIMEOUT_SECONDS_DEFAULT),
      runDeadlineSeconds: z
        .int()
        .min(RUN_DEADLINE_SECONDS_MIN)
        .max(RUN_DEADLINE_SECONDS_MAX)
        .default(RUN_DEADLINE_SECONDS_DEFAULT),
    })
    .openapi("PutPipeline"),
  response: {
    status: 200,
    description: "The pipeline has these settings.",
    schema: pipelineWithSecret,
  },
  errors: ["url_not_allowed", "operation_in_progress"],
});

const rotate = defineContract({
  operationId: "rotatePipelineSecret",
  method: "POST",
  path: "/pipelines/{name}/rotate",
  summary: "Give a pipeline another secret",
  description: ROTATION,
  tags,
  role: "admin",
  params: onPipeline,
  response: {
    status: 200,
    description: "The pipeline with its new secret, which nothing shows again.",
    schema: pipelineWithSecret,
  },
  idempotency: "optional",
});

export const pipelineRoutes: readonly Route[] = [
  createHandler(getPipelines, async ({ database }) => {
    const configured = await listPipelines(database);
    const data = PIPELINE_NAMES.map((name) => ({
      ...DEFAULTS,
      ...configured.find((record) => record.name === name),
      name,
      workerType: PIPELINES[name].worker,
    }));
    return reply({ data, nextCursor: null });
  }),
  createHandler(put, async (call, { params, body }) =>
    replyTo(await putPipeline(call, { ...params, ...body })),
  ),
  createHandler(rotate, async (call, { params }) =>
    replyTo(await rotatePipelineSecret(call, params.name)),
  ),
];

/** How a pipeline works that nobody gave settings. */
const DEFAULTS = {
  endpoint: null,
  previousSecretUntil: null,
  timeoutSeconds: TIMEOUT_SECONDS_DEFAULT,
  runDeadlineSeconds: RUN_DEADLINE_SECONDS_DEFAULT,
  updatedAt: null,
};
