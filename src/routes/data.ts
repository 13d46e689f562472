import * as z from "zod";
import { declareData } from "../actions/content/declare-data.ts";
import { openContent } from "../actions/content/open-content.ts";
import { storeContent } from "../actions/content/store-content.ts";
import {
  type DataFilter,
  type DataRecord,
  findData,
  listData,
  readDataChunk,
} from "../db/content/data.ts";
import { DATA_KINDS } from "../domain/data/kinds.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { requestedRange } from "./http/byte-range.ts";
import { reply, replyTo } from "./http/call.ts";
import { BODY_BYTES_MAX, defineContract, rawBody } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { exportRoutesOf } from "./http/export-routes.ts";
import {
  booleanText,
  type FilterQuery,
  page,
  paging,
  taskRef,
  timestamp,
  uuid,
} from "./http/schemas.ts";
import { servedContentType } from "./http/served-type.ts";
import { byteStream } from "./http/streaming.ts";
import { answerPage } from "./http/paging.ts";
import { makerInput, makerOutput } from "./shapes/maker.ts";
import { stageName } from "./shapes/stage.ts";

const dataKind = z.enum(DATA_KINDS).openapi("DataKind");

const data = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    stepId: uuid,
    kind: dataKind,
    contentType: z.string(),
    sizeBytes: z.int(),
    sha256: z.string(),
    uri: z.string().nullable().openapi({
      description: "The address of the content if it is stored elsewhere.",
    }),
    storedAt: timestamp.nullable(),
    verified: z.boolean().openapi({
      description: "Whether the size and hash were checked against the content.",
    }),
    ...makerOutput,
    promptId: uuid.nullable(),
    insightId: uuid.nullable(),
    inputs: z.array(uuid).openapi({
      description: "The ids of the data items that this one was made from.",
    }),
    createdAt: timestamp,
  })
  .openapi("Data");

/** A media type with its parameters (RFC 9110, section 8.3.1). It cannot contain a line break, so it is safe in a header. */
const contentType = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9_!#$&^.+-]+\/[A-Za-z0-9_!#$&^.+-]+(; ?[A-Za-z0-9_!#$&^.+-]+=([A-Za-z0-9_!#$&^.+-]+|"[A-Za-z0-9_ !#$&^.+:/-]*"))*$/,
    "Must be a media type.",
  )
  .openapi({ example: "text/plain; charset=utf-8" });

/** An address that is stored and returned, but never fetched. It has no user name or password, because responses show it. */
const uri = z
  .string()
  .max(2000)
  .regex(
    /^(s3|gs|https):\/\/[^\s/?#@\\]+([/?#]\S*)?$/,
    "Must be an s3://, gs://, or https:// URI without credentials.",
  )
  .regex(/^[\x21-\x7e]*$/, "Must be percent-encoded.")
  .openapi({ example: "s3://evaluations/2026/solutions.jsonl" });

const INPUTS_MAX = 100;
const SIZE_MAX = BODY_BYTES_MAX.content;

const postData = defineContract({
  operationId: "declareData",
  method: "POST",
  path: "/tasks/{taskId}/data",
  summary: "Declare a data item",
  description: `Declares a data item of the task. Upload its content with \`PUT /v1/data/{dataId}/content\` within a day, or the data item is deleted. With \`uri\`, registers content that is stored elsewhere; it is never fetched, and so it stays unverified. The data item belongs to the current step, unless \`stepId\` names another step of the task. Returns 409 \`conflict\` if the step already has the same content with the same kind, model, revision, agent, and provider. The prompt and the insight must belong to the task. Inputs can belong to any task. Returns 409 \`version_sealed\` for \`golden\` and \`source\` data of a version that is sealed or delivered.`,
  tags: ["Prompts and data"],
  role: "operator",
  service: true,
  params: z.strictObject({ taskId: taskRef }),
  body: z
    .strictObject({
      kind: dataKind,
      contentType,
      sizeBytes: z
        .int()
        .min(0)
        .openapi({
          description: `The size of the content in bytes. At most ${SIZE_MAX} without a \`uri\`.`,
        }),
      sha256: z
        .hex()
        .length(64)
        .toLowerCase()
        .openapi({
          description: "The SHA-256 of the content, in hex.",
          example: "9f86d081884c7d65".repeat(4),
        }),
      uri: uri.optional(),
      stepId: uuid.optional(),
      ...makerInput,
      promptId: uuid.optional(),
      insightId: uuid.optional(),
      inputs: z.array(uuid).max(INPUTS_MAX).optional(),
    })
    .superRefine(({ sizeBytes, uri: elsewhere }, context) => {
      if (elsewhere !== undefined || sizeBytes <= SIZE_MAX) return;
      context.addIssue({
        code: "too_big",
        origin: "number",
        maximum: SIZE_MAX,
        inclusive: true,
        path: ["sizeBytes"],
        message: `Content without a uri must have at most ${SIZE_MAX} bytes.`,
      });
    })
    .openapi("DeclareData"),
  example: {
    kind: "generated",
    contentType: "text/plain",
    sizeBytes: 12,
    sha256: "cc15f7045a9635ebb17eba40696080437d7b1b5dadaa69426433f3304dec5155",
    model: "solver-7b",
  },
  response: { status: 201, description: "The data item.", schema: data, headers: ["Location"] },
  errors: ["not_found", "conflict", "version_sealed"],
  idempotency: "optional",
});

const dataFilterQuery = {
  task: taskRef.optional(),
  kind: dataKind.optional(),
  ...makerInput,
  stored: booleanText.optional().openapi({
    description:
      "Whether the content is stored here. It is not if it was not uploaded yet or is stored elsewhere.",
  }),
  passedGate: stageName.optional().openapi({
    description:
      "Artifacts that passed the gate of this stage: the gate of a step that followed from the artifact's step is `passed`. A `waived` or `revoked` gate does not count, nor does a step that follows a later attempt at the artifact's stage or an earlier one.",
  }),
} satisfies FilterQuery<DataFilter>;

const getDataList = defineContract({
  operationId: "listData",
  method: "GET",
  path: "/data",
  summary: "List data",
  description: "Returns the data items that match every given filter, newest first.",
  tags: ["Prompts and data"],
  role: "viewer",
  query: z.strictObject({
    ...dataFilterQuery,
    ...paging,
  }),
  response: { status: 200, description: "A page of data.", schema: page(data) },
  errors: ["invalid_cursor"],
});

const exports = exportRoutesOf({
  plural: "data",
  tags: ["Prompts and data"],
  description:
    "Exports all data items that match the filter, without their content, each once, in the order in which they were declared.",
  query: z.strictObject(dataFilterQuery),
  read: ({ database }, filter, after: string | null) => readDataChunk(database, filter, after),
  columns: {
    id: (item) => item.id,
    taskId: (item) => item.taskId,
    versionId: (item) => item.versionId,
    stepId: (item) => item.stepId,
    kind: (item) => item.kind,
    contentType: (item) => item.contentType,
    sizeBytes: (item) => item.sizeBytes,
    sha256: (item) => item.sha256,
    uri: (item) => item.uri,
    storedAt: (item) => item.storedAt,
    verified: (item) => item.verified,
    model: (item) => item.model,
    modelRevision: (item) => item.modelRevision,
    agent: (item) => item.agent,
    agentRevision: (item) => item.agentRevision,
    provider: (item) => item.provider,
    promptId: (item) => item.promptId,
    insightId: (item) => item.insightId,
    inputs: (item) => item.inputs.join(" "),
    createdAt: (item) => item.createdAt,
  },
});

const ofData = {
  tags: ["Prompts and data"],
  params: z.strictObject({ dataId: uuid }),
  errors: ["not_found"],
} as const;

const getData = defineContract({
  ...ofData,
  operationId: "getData",
  method: "GET",
  path: "/data/{dataId}",
  summary: "Retrieve a data item",
  description: "Returns the data item without its content.",
  role: "viewer",
  response: { status: 200, description: "The data item.", schema: data },
});

const putContent = defineContract({
  ...ofData,
  operationId: "storeContent",
  method: "PUT",
  path: "/data/{dataId}/content",
  summary: "Upload the content of a data item",
  description:
    "The request body is the content. It is stored only if its size and SHA-256 match the declaration; otherwise the call returns 400 `validation_failed`. A `Content-Type` that differs from the declared one returns 415 `unsupported_media_type`. Stored content never changes. A repeated upload is checked again. Returns 409 `version_sealed` if the first upload of `golden` or `source` data comes after the version was sealed or delivered.",
  role: "operator",
  service: true,
  body: rawBody,
  example: "Seventy-two.",
  bodyMax: "content",
  response: { status: 200, description: "The data item with its stored content.", schema: data },
  errors: ["not_found", "version_sealed"],
});

const content = {
  schema: byteStream,
  mediaType: "*/*",
  headers: ["ETag", "Accept-Ranges", "Content-Disposition"],
} as const;

const getContent = defineContract({
  ...ofData,
  operationId: "getContent",
  method: "GET",
  path: "/data/{dataId}/content",
  summary: "Download the content of a data item",
  description:
    "Returns the content as an attachment. The `ETag` is its SHA-256. Media types that a browser could execute are sent as `application/octet-stream`. Returns 404 `not_found` if the content was not uploaded yet or is stored elsewhere.",
  role: "viewer",
  response: { ...content, status: 200, description: "The content." },
  alternative: {
    ...content,
    status: 206,
    description: "The part of the content that `Range` requested.",
    headers: [...content.headers, "Content-Range"],
  },
  errors: ["not_found", "range_not_satisfiable"],
});

export const dataRoutes: readonly Route[] = [
  createHandler(postData, async (call, { params, body }) =>
    replyTo(await declareData(call, { task: params.taskId, ...body }), ({ id }) => ({
      headers: { location: `/v1/data/${id}` },
    })),
  ),
  createHandler(getDataList, (call, { query }) => {
    const { limit, cursor, ...filter } = query;
    return answerPage(
      call,
      { limit, cursor },
      {
        operationId: getDataList.operationId,
        filter,
        sort: "-id",
        position: uuid,
        read: (after, rows) => listData(call.database, filter, { after, limit: rows }),
        positionOf: ({ id }) => id,
        itemOf: (row) => row,
      },
    );
  }),
  createHandler(getData, async ({ database }, { params }) => {
    const found = await findData(database, params.dataId);
    return found === null ? refuse(notFound()) : reply(found.data);
  }),
  createHandler(putContent, async (call, { params, body }) =>
    replyTo(await storeContent(call, { dataId: params.dataId, upload: body })),
  ),
  createHandler(getContent, async (call, { params }) => {
    const opened = await openContent(call, {
      dataId: params.dataId,
      rangeOf: (row) =>
        requestedRange(call, { entityTag: contentTag(row), sizeBytes: row.sizeBytes }),
    });
    if (!opened.ok) return opened;
    const { data: row, stream, range } = opened.value;
    const headers = {
      etag: contentTag(row),
      "content-type": servedContentType(row.contentType),
      // The file name contains no text that a caller chose.
      "content-disposition": `attachment; filename="${row.kind}-${row.id}"`,
      "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
      "accept-ranges": "bytes",
      "content-length": String(range?.length ?? row.sizeBytes),
    };
    if (range === null) return reply(stream, { headers });
    const last = range.offset + range.length - 1;
    return reply(stream, {
      status: 206,
      headers: { ...headers, "content-range": `bytes ${range.offset}-${last}/${row.sizeBytes}` },
    });
  }),
  ...exports,
];

/** The strong entity tag of content, derived from its hash. */
function contentTag({ sha256 }: DataRecord): string {
  return `"${sha256}"`;
}
