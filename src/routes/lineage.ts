import * as z from "zod";
import { traceData, traceTask } from "../actions/content/trace-lineage.ts";
import { LINEAGE_DEPTH_MAX, LINEAGE_ITEMS_MAX, LINEAGE_STEPS_MAX } from "../db/content/lineage.ts";
import { RUN_STATES, STEP_EVENT_TYPES } from "../domain/lifecycle/statuses.ts";
import { TRIAL_STATUSES } from "../domain/evals/statuses.ts";
import { EDGE_TYPES, type NodeType, VERDICT_GATES } from "../domain/lineage/graph.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { taskRef, timestamp, uuid } from "./http/schemas.ts";
import { asOf } from "./shapes/as-of.ts";
import { actor } from "./shapes/event.ts";
import { gateState, stepKind, stepStatus } from "./shapes/task.ts";

const text = z.string();
const maybe = z.string().nullable();

/** The members of every node. Edges refer to a node by its `key`. */
const node = <const Type extends NodeType>(type: Type) => ({ type: z.literal(type), key: text });
const ofTask = { id: uuid, taskId: uuid, createdAt: timestamp };

const verdict = z.strictObject({
  gate: z.enum(VERDICT_GATES),
  from: z.union([gateState, z.null()]),
  status: stepStatus,
  seq: z.int(),
  type: z.enum(STEP_EVENT_TYPES),
  actor,
  reason: maybe,
  at: timestamp,
});

const lineageNode = z
  .discriminatedUnion("type", [
    z.strictObject({
      ...node("artifact"),
      ...ofTask,
      kind: text,
      contentType: text,
      sizeBytes: z.int(),
      sha256: text,
      uri: maybe,
      storedAt: timestamp.nullable(),
    }),
    z.strictObject({ ...node("prompt"), ...ofTask, role: text, contentHash: text }),
    z.strictObject({
      ...node("step"),
      id: uuid,
      taskId: uuid,
      kind: stepKind,
      attempt: z.int(),
      status: stepStatus,
      gate: gateState,
      verdicts: z.array(verdict).openapi({
        description:
          "The verdicts on the step's gate, oldest first, with the events that gave them.",
      }),
    }),
    z.strictObject({
      ...node("version"),
      ...ofTask,
      number: z.int(),
      contentHash: text,
      reason: maybe,
      createdBy: text,
      sealedAt: timestamp.nullable(),
    }),
    z.strictObject({
      ...node("model"),
      model: maybe,
      modelRevision: maybe,
      agent: maybe,
      agentRevision: maybe,
      provider: maybe,
    }),
    z.strictObject({
      ...node("trial"),
      ...ofTask,
      eval: z.strictObject({ id: uuid, name: text }),
      k: z.int(),
      status: z.enum(TRIAL_STATUSES),
      retracted: z.boolean(),
    }),
    z.strictObject({
      ...node("insight"),
      ...ofTask,
      kind: text,
      status: z.enum(RUN_STATES).nullable().openapi({
        description:
          "Null if the status has changed since `asOf`, because an insight keeps no history.",
      }),
    }),
  ])
  .openapi("LineageNode");

const graph = {
  nodes: z.array(lineageNode),
  edges: z.array(
    z.strictObject({ type: z.enum(EDGE_TYPES), from: text, to: text }).openapi("LineageEdge", {
      description:
        "A relation that reads as a sentence: `from` is `made_by`, `at_step`, `of_version`, or `scored_by` `to`. An artifact is `input_of` the artifact that was made from it. `from` and `to` are keys of nodes.",
    }),
  ),
  truncated: z.strictObject({ depth: z.boolean(), size: z.boolean() }).openapi({
    description: `Whether the graph is incomplete. \`depth\`: inputs more than ${LINEAGE_DEPTH_MAX} levels away are missing. \`size\`: there are more than ${LINEAGE_ITEMS_MAX} artifacts, prompts, trials, insights, or verdicts, or more than ${LINEAGE_STEPS_MAX} steps or versions.`,
  }),
};

const getDataLineage = defineContract({
  operationId: "getDataLineage",
  method: "GET",
  path: "/data/{dataId}/lineage",
  summary: "Retrieve the lineage of an artifact",
  description:
    "Returns where an artifact comes from: the model revision that made it, its prompt, its step and version, its inputs and their inputs, the verdicts on the gates of those versions, and the trials that scored it. A data item without stored content or a `uri` is not an artifact and returns 404 `not_found`.",
  tags: ["Status and history"],
  role: "viewer",
  params: z.strictObject({ dataId: uuid }),
  response: {
    status: 200,
    description: "The graph that starts at the artifact.",
    schema: z.strictObject(graph).openapi("Lineage"),
  },
  errors: ["not_found"],
});

const getTaskLineage = defineContract({
  operationId: "getTaskLineage",
  method: "GET",
  path: "/tasks/{taskId}/lineage",
  summary: "Retrieve the lineage of a task",
  description:
    "Returns the task's versions and steps with the verdicts on their gates, its prompts, artifacts with their inputs, trials, and insights, and the models that made them. With `asOf`, returns the lineage as it was at that point.",
  tags: ["Status and history"],
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  query: z.strictObject({ asOf: asOf.optional() }),
  response: {
    status: 200,
    description: "The graph.",
    schema: z.strictObject({ taskId: uuid, ...graph }).openapi("TaskLineage"),
  },
  errors: ["not_found"],
});

export const lineageRoutes: readonly Route[] = [
  createHandler(getDataLineage, async ({ database }, { params }) => {
    const lineage = await traceData(database, params.dataId);
    return lineage.ok ? reply(lineage.value) : lineage;
  }),
  createHandler(getTaskLineage, async ({ database }, { params, query }) => {
    const lineage = await traceTask(database, params.taskId, query.asOf);
    return lineage.ok ? reply(lineage.value) : lineage;
  }),
];
