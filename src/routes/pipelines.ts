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
import { reason, safeText, timestamp } from "./http/schemas.ts";
import { pipelineName } from "./shapes/moved.ts";
import { previousSecretUntil, rotation, ROTATION_DESCRIPTION, secret } from "./shapes/secret.ts";

const tags = ["Pipelines"] as const;

const TIMEOUT_SECONDS_DEFAULT = 10;
const TIMEOUT_SECONDS_MAX = 30;
const RUN_DEADLINE_SECONDS_DEFAULT = 60 * 60;
const RUN_DEADLINE_SECONDS_MIN = 60;
const RUN_DEADLINE_SECONDS_MAX = 7 * 24 * 60 * 60;

const pipelineFields = {
  name: pipelineName,
  endpoint: z.string().nullable().openapi({
    description: "The URL that dispatches are sent to. Null if workers claim the runs instead.",
  }),
  previousSecretUntil,
  timeoutSeconds: z.int().openapi({ description: "The timeout of a call to the endpoint." }),
  runDeadlineSeconds: z.int().openapi({
    description: "How long a run can go without a report before it fails.",
  }),
};

const pipeline = z
  .strictObject({
    ...pipelineFields,
    workerType: z.enum(WORKER_TYPES).openapi("WorkerType"),
    updatedAt: timestamp.nullable().openapi({
      description: "Null if the pipeline has its default settings.",
    }),
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
  summary: "List pipelines",
  description:
    "Returns every pipeline with their settings, including those with default settings. Does not return secrets.",
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
  summary: "Configure a pipeline",
  description:
    "Sets the pipeline's endpoint and limits. With an `endpoint`, each dispatch is sent there with POST, signed as defined by Standard Webhooks. Without one, its run waits for a worker to claim it. The first call creates a signing secret, unless you provide one, and only that response contains it. A new `secret` replaces the current one, which stays valid for 24 hours.",
  tags,
  role: "admin",
  params: onPipeline,
  body: z
    .strictObject({
      endpoint: safeText(ENDPOINT_LENGTH_MAX).nullable().openapi({
        description: "An https URL of a public host. Null if workers claim the runs.",
        example: "https://checks.example.com/stepledger",
      }),
      secret: safeText(100).optional().openapi({
        description: "`whsec_` followed by 24 to 64 bytes in Base64.",
      }),
      timeoutSeconds: z.int().min(1).max(TIMEOUT_SECONDS_MAX).default(TIMEOUT_SECONDS_DEFAULT),
      runDeadlineSeconds: z
        .int()
        .min(RUN_DEADLINE_SECONDS_MIN)
        .max(RUN_DEADLINE_SECONDS_MAX)
        .default(RUN_DEADLINE_SECONDS_DEFAULT),
      reason: reason.optional(),
    })
    .openapi("PutPipeline"),
  example: { endpoint: "https://payments.example.com/hook", timeoutSeconds: 30 },
  response: {
    status: 200,
    description: "The pipeline with its new settings.",
    schema: pipelineWithSecret,
  },
  errors: ["url_not_allowed", "conflict", "stale", "operation_in_progress"],
});

const rotate = defineContract({
  operationId: "rotatePipelineSecret",
  method: "POST",
  path: "/pipelines/{name}/rotate",
  summary: "Rotate a pipeline's secret",
  description: ROTATION_DESCRIPTION,
  tags,
  role: "admin",
  params: onPipeline,
  body: rotation,
  example: { reason: "The yearly rotation." },
  response: {
    status: 200,
    description: "The pipeline with its new secret, which only this response contains.",
    schema: pipelineWithSecret,
  },
  errors: ["conflict", "stale"],
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
  createHandler(rotate, async (call, { params, body }) =>
    replyTo(await rotatePipelineSecret(call, { ...params, ...body })),
  ),
];

/** The settings of a pipeline that is not configured. */
const DEFAULTS = {
  endpoint: null,
  previousSecretUntil: null,
  timeoutSeconds: TIMEOUT_SECONDS_DEFAULT,
  runDeadlineSeconds: RUN_DEADLINE_SECONDS_DEFAULT,
  updatedAt: null,
};
