import * as z from "zod";
import { declareData } from "../actions/content/declare-data.ts";
import { contentTag, openContent } from "../actions/content/open-content.ts";
import { storeContent } from "../actions/content/store-content.ts";
import { findData, listData } from "../db/content/data.ts";
import { servedContentType } from "../domain/data/content-type.ts";
import { DATA_KINDS } from "../domain/data/kinds.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply, replyTo } from "./http/call.ts";
import { BODY_BYTES_MAX, defineContract, rawBody } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { booleanText, page, paging, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { byteStream } from "./http/streamed.ts";
import { answerPage } from "./http/paging.ts";
import { maker, makerTold } from "./shapes/maker.ts";
import { stepKind } from "./shapes/task.ts";

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
    uri: z.string().nullable().openapi({ description: "Where the blob lies, if not here." }),
    storedAt: timestamp.nullable(),
    verified: z.boolean().openapi({
      description: "Whether length and hash were compared with the blob itself.",
    }),
    ...makerTold,
    promptId: uuid.nullable(),
    insightId: uuid.nullable(),
    inputs: z.array(uuid).openapi({ description: "The data that this was made from." }),
    createdAt: timestamp,
  })
  .openapi("Data");

/** A media type and its parameters (RFC 9110, 8.3.1), and so never the end of a header's line. */
const contentType = z
  .string()
  .max(200)
  .regex(
    /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; ?[\w!#$&^.+-]+=([\w!#$&^.+-]+|"[\w !#$&^.+:/-]*"))*$/,
    "Must be a media type.",
  )
  .openapi({ example: "text/plain; charset=utf-8" });

/** Kept and shown, never fetched; a name and password in it would be shown too. */
const uri = z
  .string()
  .max(2000)
  .regex(
    /^(s3|gs|https):\/\/[^\s/?#@\\]+([/?#]\S*)?$/,
    "Must be an s3://, gs:// or https:// address.",
  )
  .regex(/^[\x21-\x7e]*$/, "Must be percent-encoded.")
  .openapi({ example: "s3://evaluations/2026/solutions.jsonl" });

const INPUTS_MAX = 100;
const SIZE_MAX = BODY_BYTES_MAX.content;

const postData = defineContract({
  operationId: "declareData",
  method: "POST",
  path: "/tasks/{taskId}/data",
  summary: "Declare data of a task",
  description: `Says what a blob is, before \`PUT /v1/data/{dataId}/content\` sends it: what has not come within a day is swept away. Or, with \`uri\`, registers what lies elsewhere: nobody fetches it, and it stays unverified. On the current step, unless \`stepId\` names another one of the task, which has the same content once for each kind and each maker (model, revision, agent, provider). Prompt and insight must be the task's, inputs may be of any task.`,
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
          description: `At most ${SIZE_MAX} for what is stored here.`,
        }),
      sha256: z
        .hex()
        .length(64)
        .toLowerCase()
        .openapi({ description: "In hex.", example: "9f86d081884c7d65".repeat(4) }),
      uri: uri.optional(),
      stepId: uuid.optional(),
      ...maker,
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
        message: `Larger blobs lie elsewhere: at most ${SIZE_MAX} bytes are stored here.`,
      });
    })
    .openapi("DeclareData"),
  response: { status: 201, description: "The row.", schema: data, headers: ["Location"] },
  errors: ["not_found", "conflict"],
  idempotency: "optional",
});

const getDataList = defineContract({
  operationId: "listData",
  method: "GET",
  path: "/data",
  summary: "Data, newest first",
  tags: ["Prompts and data"],
  role: "viewer",
  query: z.strictObject({
    task: taskRef.optional(),
    kind: dataKind.optional(),
    ...maker,
    stored: booleanText.optional().openapi({
      description: "Whether the content is here; not so where it is awaited, or lies elsewhere.",
    }),
    passedGate: stepKind.optional().openapi({
      description:
        "Artifacts of which the work since they were made passed the gate of this kind; a gate that was waived or revoked is not passed, and what was made anew in their place speaks for itself alone.",
    }),
    ...paging,
  }),
  response: { status: 200, description: "A page of data.", schema: page(data) },
  errors: ["invalid_cursor"],
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
  summary: "One row of data",
  role: "viewer",
  response: { status: 200, description: "The row.", schema: data },
});

const putContent = defineContract({
  ...ofData,
  operationId: "storeContent",
  method: "PUT",
  path: "/data/{dataId}/content",
  summary: "Send the content of declared data",
  description:
    "The body is the content itself. It is stored only if it has the declared length and SHA-256, under its declared type, and never changes; sent again it is compared again.",
  role: "operator",
  service: true,
  body: rawBody,
  bodyMax: "content",
  response: { status: 200, description: "It is stored.", schema: data },
  errors: ["not_found"],
});

const content = {
  schema: byteStream,
  mediaType: "*/*",
  headers: ["ETag", "Content-Disposition"],
} as const;

const getContent = defineContract({
  ...ofData,
  operationId: "getContent",
  method: "GET",
  path: "/data/{dataId}/content",
  summary: "Download the content of data",
  description:
    "Always as an attachment. The `ETag` is the SHA-256. Types that a browser could run are told as `application/octet-stream`. What is not stored here, because it has not come or lies elsewhere, is not found.",
  role: "viewer",
  response: { ...content, status: 200, description: "The content." },
  alternative: {
    ...content,
    status: 206,
    description: "The part of it that `Range` asked for.",
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
    const opened = await openContent(call, params);
    if (!opened.ok) return opened;
    const { data: row, stream, range } = opened.value;
    const headers = {
      etag: contentTag(row),
      "content-type": servedContentType(row.contentType),
      // The name is made here, of what no caller chose.
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
];
