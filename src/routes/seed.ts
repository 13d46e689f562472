import * as z from "zod";
import { putStub } from "../actions/seed/put-stub.ts";
import { SEED_STAGES } from "../domain/seed/stages.ts";
import { starterTaxonomy } from "../domain/seed/starter-taxonomy.ts";
import { OBJECT_PATH_LENGTH_MAX } from "../domain/seed/object-path.ts";
import { loadSeedTexts } from "../storage/seed-texts.ts";
import { createStubStore } from "../storage/stubs.ts";
import { reply } from "./http/call.ts";
import { defineContract, rawBody } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { stepKind } from "./shapes/task.ts";
import { taxonomyEntry } from "./shapes/taxonomy.ts";

/** What the contracts of this file share. */
const inDemos = { tags: ["Demo tenants"], demoOnly: true } as const;

const seedStage = z
  .strictObject({
    kind: stepKind,
    aliases: z.array(z.string()).readonly(),
    prefix: z.string().openapi({ description: "Where objects of the stage can be stored." }),
    bytesMax: z.int().openapi({ description: "The maximum size of one of these objects." }),
    contentTypes: z.array(z.string()).readonly().openapi({
      description: "The media types of these objects.",
    }),
    pace: z.strictObject({ medianMinutes: z.number(), sigma: z.number() }).openapi({
      description: "How long simulated work at the stage takes: log-normally distributed.",
    }),
  })
  .openapi("SeedStage");

const getStages = defineContract({
  ...inDemos,
  operationId: "listSeedStages",
  method: "GET",
  path: "/seed/stages",
  summary: "List the stages of demos",
  description: "Returns each stage with its aliases, its objects, and its pace.",
  role: "viewer",
  response: {
    status: 200,
    description: "The stages, in their order.",
    schema: z.strictObject({ data: z.array(seedStage).readonly(), nextCursor: z.null() }),
  },
});

const starterEntry = taxonomyEntry
  .pick({ code: true, label: true, level: true, parentCode: true, position: true })
  .openapi("StarterEntry");

const getTaxonomy = defineContract({
  ...inDemos,
  operationId: "listSeedTaxonomy",
  method: "GET",
  path: "/seed/taxonomy",
  summary: "List the starter taxonomy",
  description:
    "Returns the taxonomy that a demo starts with, in the order of its tree. `GET /v1/taxonomy` returns the tenant's own.",
  role: "viewer",
  response: {
    status: 200,
    description: "Every entry.",
    schema: z.strictObject({ data: z.array(starterEntry), nextCursor: z.null() }),
  },
});

const stub = z
  .strictObject({
    path: z.string(),
    contentType: z.string(),
    sizeBytes: z.int(),
    sha256: z.string(),
    uri: z.string().openapi({
      description:
        "An address by which `POST /v1/tasks/{taskId}/data` can name the object, with its size and hash.",
    }),
  })
  .openapi("SeedObject");

const putObject = defineContract({
  ...inDemos,
  operationId: "putSeedObject",
  method: "PUT",
  path: "/seed/objects/{path}",
  summary: "Store an object of a demo",
  description:
    "Stores the request body under a path that begins with the prefix of a stage, such as `demo/ingestion/cases.json`. The slashes of the path can be percent-encoded. Returns 400 `validation_failed` for any other path, 413 `payload_too_large` above the stage's ceiling, 415 `unsupported_media_type` for a `Content-Type` that the stage does not take, and 409 `conflict` if the path has an object: nothing is ever overwritten.",
  role: "admin",
  params: z.strictObject({
    path: z.string().openapi({
      description: `Up to ${OBJECT_PATH_LENGTH_MAX} letters, digits, \`_\`, \`-\`, \`.\` and slashes.`,
      example: "demo/ingestion/cases.json",
    }),
  }),
  body: rawBody,
  example: "The first object of a demo.",
  bodyMax: "content",
  response: { status: 201, description: "The stored object.", schema: stub },
  errors: ["conflict"],
});

export const seedRoutes: readonly Route[] = [
  createHandler(getStages, async () => reply({ data: SEED_STAGES, nextCursor: null })),
  createHandler(getTaxonomy, async ({ settings }) => {
    const texts = await loadSeedTexts(settings.assets);
    return reply({ data: starterTaxonomy(texts), nextCursor: null });
  }),
  createHandler(putObject, async ({ settings, tenantId }, { params, body }) => {
    const outcome = await putStub(
      { stubs: createStubStore(settings.bucket), tenantId },
      { path: params.path, upload: body },
    );
    return outcome.ok ? reply(outcome.value) : outcome;
  }),
];
