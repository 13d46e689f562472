import * as z from "zod";
import { compareVersions } from "../actions/content/compare-versions.ts";
import { DIFF_ITEMS_MAX, findVersion, listVersions } from "../db/content/versions.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { integerText, page, paging, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { makerOutput } from "./shapes/maker.ts";
import { gateState, stepKind, stepStatus, taskContent } from "./shapes/task.ts";

const versionNumber = integerText(1, 1_000_000);

const versionFields = {
  id: uuid,
  taskId: uuid,
  number: z.int(),
  contentHash: z.string().openapi({ description: "The SHA-256 of the content, in hex." }),
  currentStepId: uuid.openapi({
    description: "The version's current step. For a sealed version, the last one.",
  }),
  reason: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timestamp,
  sealedAt: timestamp.nullable().openapi({ description: "Null for the active version." }),
};

const getVersions = defineContract({
  operationId: "listTaskVersions",
  method: "GET",
  path: "/tasks/{taskId}/versions",
  summary: "List a task's versions",
  description: "Returns the versions of a task by number, without their content.",
  tags: ["Tasks and versions"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  query: z.strictObject(paging),
  response: {
    status: 200,
    description: "A page of versions.",
    schema: page(z.strictObject(versionFields).openapi("VersionSummary")),
  },
  errors: ["not_found", "invalid_cursor"],
});

const getVersion = defineContract({
  operationId: "getTaskVersion",
  method: "GET",
  path: "/tasks/{taskId}/versions/{number}",
  summary: "Retrieve a version",
  description: "Returns a version with its content.",
  tags: ["Tasks and versions"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef, number: versionNumber }),
  response: {
    status: 200,
    description: "The version.",
    schema: z.strictObject({ ...versionFields, content: taskContent }).openapi("Version"),
  },
  errors: ["not_found"],
});

const line = z.int().min(1);
const path = z.array(z.union([z.string(), z.number()])).openapi({
  description: "Object keys and list indexes, from the outermost to the innermost.",
  example: ["metadata", "tags", 0],
});
const anything = z.unknown().openapi({ description: "Any JSON value." });

const contentChange = z
  .discriminatedUnion("op", [
    z.strictObject({ op: z.literal("added"), path, to: anything }),
    z.strictObject({ op: z.literal("removed"), path, from: anything }),
    z.strictObject({ op: z.literal("changed"), path, from: anything, to: anything }),
    z.strictObject({
      op: z.literal("edited"),
      path,
      hunks: z.array(
        z.strictObject({
          fromLine: line,
          toLine: line,
          lines: z.array(z.strictObject({ op: z.enum([" ", "-", "+"]), text: z.string() })),
        }),
      ),
    }),
  ])
  .openapi("ContentChange", {
    description:
      "A change from the first content to the second. Apply the changes in order. `edited` is a line-by-line change of the brief or the instructions. If the two texts have too little in common, the text is `changed` as a whole.",
  });

const count = z.int().min(0);
const comparedVersion = z.strictObject({ id: uuid, number: z.int(), contentHash: z.string() });
const versionStep = z.strictObject({
  id: uuid,
  kind: stepKind,
  attempt: z.int(),
  status: stepStatus,
  gate: gateState,
});
const comparedItem = { id: uuid, stepId: uuid, ...makerOutput };

/** The items that only one of the two versions has. */
const listDiff = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    added: z.array(item),
    removed: z.array(item),
    same: count.openapi({ description: "The number of items that both versions have." }),
  });

const getDiff = defineContract({
  operationId: "diffTaskVersions",
  method: "GET",
  path: "/tasks/{taskId}/versions/{number}/diff/{other}",
  summary: "Compare two versions",
  description: `Returns the differences from version \`number\` to version \`other\`, in either order. Steps are compared by kind and attempt. Prompts and data are compared by their content and by the model, revision, agent, and provider that made them. At most the oldest ${DIFF_ITEMS_MAX} prompts and data items of each version are compared.`,
  tags: ["Tasks and versions"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef, number: versionNumber, other: versionNumber }),
  response: {
    status: 200,
    description: "The changes that turn the first version into the second.",
    schema: z
      .strictObject({
        taskId: uuid,
        from: comparedVersion,
        to: comparedVersion,
        content: z.array(contentChange),
        steps: listDiff(versionStep).extend({
          changed: z.array(z.strictObject({ from: versionStep, to: versionStep })),
        }),
        prompts: listDiff(
          z.strictObject({ ...comparedItem, role: z.string(), contentHash: z.string() }),
        ),
        data: listDiff(z.strictObject({ ...comparedItem, kind: z.string(), sha256: z.string() })),
        truncated: z.boolean().openapi({
          description: "Whether a version has more prompts or data than were compared.",
        }),
      })
      .openapi("VersionDiff"),
  },
  errors: ["not_found"],
});

export const versionRoutes: readonly Route[] = [
  createHandler(getVersions, (call, { params, query }) =>
    answerPage(call, query, {
      operationId: getVersions.operationId,
      filter: params,
      sort: "number",
      position: z.int(),
      read: (after, limit) =>
        listVersions(call.database, params.taskId, { after: after ?? 0, limit }),
      positionOf: ({ number }) => number,
      itemOf: (version) => version,
    }),
  ),
  createHandler(getVersion, async ({ database }, { params }) => {
    const version = await findVersion(database, params.taskId, params.number);
    return version === null ? refuse(notFound()) : reply(version);
  }),
  createHandler(getDiff, async ({ database }, { params }) => {
    const { taskId, number, other } = params;
    const diff = await compareVersions(database, taskId, { from: number, to: other });
    return diff.ok ? reply(diff.value) : diff;
  }),
];
