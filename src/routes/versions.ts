import * as z from "zod";
import { compareVersions } from "../actions/content/compare-versions.ts";
import { DIFF_ITEMS_MAX, findVersion, listVersions } from "../db/content/versions.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { integerText, page, paging, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";
import { gateState, stepKind, stepStatus, taskContent } from "./shapes/task.ts";

const versionNumber = integerText(1, 1_000_000);

const versionFields = {
  id: uuid,
  taskId: uuid,
  number: z.int(),
  contentHash: z.string().openapi({ description: "SHA-256 of the content, in hex." }),
  currentStepId: uuid.openapi({ description: "Where the version stands, or stood when sealed." }),
  reason: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timestamp,
  sealedAt: timestamp.nullable().openapi({ description: "null for the active version." }),
};

const getVersions = defineContract({
  operationId: "listTaskVersions",
  method: "GET",
  path: "/tasks/{taskId}/versions",
  summary: "The versions of a task",
  description: "By number, without their contents.",
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
  summary: "One version with its content",
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
  description: "Keys and places in lists, from the outermost inwards.",
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
      "Applied in order they make the one content of the other. `edited`: a brief or instructions, line by line; where they share too little they are `changed` as a whole.",
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
const makerFields = {
  id: uuid,
  stepId: uuid,
  model: z.string().nullable(),
  modelRevision: z.string().nullable(),
  agent: z.string().nullable(),
  provider: z.string().nullable(),
};

/** Things of one version that the other has not. */
const listDiff = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    added: z.array(item),
    removed: z.array(item),
    same: count.openapi({ description: "How many both have." }),
  });

const getDiff = defineContract({
  operationId: "diffTaskVersions",
  method: "GET",
  path: "/tasks/{taskId}/versions/{number}/diff/{other}",
  summary: "What tells two versions of a task apart",
  description: `From \`number\` to \`other\`, whichever is older. Steps are compared by kind and attempt, prompts and data by what they hold and who made them, the oldest ${DIFF_ITEMS_MAX} of each version.`,
  tags: ["Tasks and versions"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef, number: versionNumber, other: versionNumber }),
  response: {
    status: 200,
    description: "What is to be done to the first to have the second.",
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
          z.strictObject({ ...makerFields, role: z.string(), contentHash: z.string() }),
        ),
        data: listDiff(z.strictObject({ ...makerFields, kind: z.string(), sha256: z.string() })),
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
