import * as z from "zod";
import { createTask, type NewTask } from "../actions/tasks/create-task.ts";
import { IMPORT_OUTCOMES, type ImportRow, importTasks } from "../actions/tasks/import-tasks.ts";
import { lookUp } from "../actions/tasks/look-up.ts";
import { stateAsOf } from "../actions/history/state-as-of.ts";
import { taskView } from "../actions/views/task-view.ts";
import type { TaskRecord } from "../db/tasks/task-json.ts";
import { findTask } from "../db/tasks/tasks.ts";
import { START_STATUSES } from "../domain/lifecycle/transitions.ts";
import { succeed, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import { attentionOf } from "../domain/status/attention.ts";
import { explain } from "../domain/status/explain.ts";
import { factsOf, RULE_CONDITIONS } from "../domain/status/resolve.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import { type Call, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { externalId, reason, safeText, taskRef, timestamp, uuid } from "./http/schemas.ts";
import { validate } from "./http/validation.ts";
import { asOf } from "./shapes/as-of.ts";
import { labelFacts, resolverRule } from "./shapes/registry.ts";
import {
  assignee,
  attentionCode,
  priority,
  stepKind,
  task,
  taskContent,
  taxonomyCode,
  title,
  unifiedStatus,
} from "./shapes/task.ts";

const newTask = z
  .strictObject({
    title,
    externalId: externalId.optional(),
    taxonomyCode: taxonomyCode.optional(),
    priority: priority.optional(),
    assignee: assignee.optional(),
    content: taskContent.optional(),
    start: z
      .strictObject({ kind: stepKind, status: z.enum(START_STATUSES).optional(), reason })
      .optional()
      .openapi({
        description:
          "Where the work already is, for tasks that come from elsewhere. Takes the role reviewer.",
      }),
  })
  .openapi("CreateTask");

const postTask = defineContract({
  operationId: "createTask",
  method: "POST",
  path: "/tasks",
  summary: "Create a task",
  description:
    "With version 1 and its first step: a queued `ingestion`, unless `start` says otherwise.",
  tags: ["Tasks and versions"],
  role: "operator",
  body: newTask,
  response: {
    status: 201,
    description: "The task.",
    schema: task,
    headers: ["ETag", "Location"],
  },
  errors: ["conflict"],
  idempotency: "optional",
});

export const IMPORT_MAX = 500;

const count = z.int().min(0);

const postImport = defineContract({
  operationId: "importTasks",
  method: "POST",
  path: "/tasks/import",
  summary: "Create many tasks",
  description:
    "Each item is judged by itself; one that is not valid harms no other. What makes the body itself unreadable (bad JSON, a doubled key, a NUL) refuses the call. An external id that is known already, or that stands twice, makes nothing and tells which task has it: repeat an import until it is whole.",
  tags: ["Tasks and versions"],
  role: "operator",
  bodyMax: "large",
  body: z
    .strictObject({
      tasks: z
        .array(z.unknown())
        .min(1)
        .max(IMPORT_MAX)
        .openapi({
          items: { $ref: "#/components/schemas/CreateTask" },
        }),
    })
    .openapi("ImportTasks"),
  response: {
    status: 200,
    description: "What became of each.",
    schema: z
      .strictObject({
        counts: z.strictObject({
          requested: count,
          created: count,
          exists: count,
          invalid: count,
        }),
        items: z.array(
          z.strictObject({
            index: count,
            externalId: z.string().nullable(),
            outcome: z.enum(IMPORT_OUTCOMES),
            id: uuid.optional(),
            issues: z
              .array(
                z.strictObject({
                  path: z.array(z.union([z.string(), z.number()])),
                  code: z.string(),
                  message: z.string(),
                }),
              )
              .readonly()
              .optional(),
          }),
        ),
      })
      .openapi("ImportedTasks"),
  },
  idempotency: "optional",
});

export const LOOKUP_MAX = 50_000;

const postLookup = defineContract({
  operationId: "lookUpTasks",
  method: "POST",
  path: "/tasks/lookup",
  summary: "Find tasks by their ids",
  description:
    "Takes ids and external ids alike, with `ext:` or without; archived tasks are found too. Answers in the order asked.",
  tags: ["Tasks and versions"],
  role: "viewer",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({ ids: z.array(safeText(204)).min(1).max(LOOKUP_MAX) })
    .openapi("LookUpTasks"),
  response: {
    status: 200,
    description: "What was found, and what was not.",
    schema: z
      .strictObject({
        found: z.array(
          z.strictObject({
            input: z.string(),
            id: uuid,
            externalId: z.string().nullable(),
            title: z.string(),
            unifiedStatus,
          }),
        ),
        unresolved: z.array(z.string()),
      })
      .openapi("LookedUpTasks"),
  },
});

const oneTask = {
  method: "GET",
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  query: z.strictObject({ asOf: asOf.optional() }),
  errors: ["not_found"],
} as const;

const getTask = defineContract({
  ...oneTask,
  operationId: "getTask",
  path: "/tasks/{taskId}",
  summary: "One task",
  description: "With `asOf`, as it was then: folded from its history.",
  tags: ["Tasks and versions"],
  response: { status: 200, description: "The task.", schema: task, headers: ["ETag"] },
});

const getStatus = defineContract({
  ...oneTask,
  operationId: "getTaskStatus",
  path: "/tasks/{taskId}/status",
  summary: "A task's label, and why it has it",
  description:
    "The rule that matched, the facts that it matched on, and the rules before it with what they lacked.",
  tags: ["Status and history"],
  response: {
    status: 200,
    description: "The label with its explanation.",
    schema: z
      .strictObject({
        taskId: uuid,
        eventSeq: z.int(),
        unifiedStatus,
        attention: z.array(attentionCode),
        statusSince: timestamp,
        rule: resolverRule,
        facts: labelFacts,
        passedOver: z
          .array(
            z.strictObject({
              rule: z.int(),
              label: unifiedStatus,
              unmet: z.array(z.enum(RULE_CONDITIONS)).readonly(),
            }),
          )
          .readonly(),
      })
      .openapi("TaskStatus"),
    headers: ["ETag"],
  },
});

export const taskRoutes: readonly Route[] = [
  createHandler(postTask, async (call, { body }) => {
    const outcome = await createTask(call, newTaskOf(body));
    if (!outcome.ok) return outcome;
    const { value, replayed } = outcome.value;
    const headers = { location: `/v1/tasks/${value.id}` };
    return reply(value, { etag: value.eventSeq, headers, replayed });
  }),
  createHandler(postImport, async (call, { body }) => {
    const outcome = await importTasks(call, body.tasks.map(importRow));
    if (!outcome.ok) return outcome;
    const { value, replayed } = outcome.value;
    return reply(value, { replayed });
  }),
  createHandler(postLookup, async ({ database }, { body }) =>
    reply(await lookUp(database, body.ids)),
  ),
  createHandler(getTask, async (call, { params, query }) => {
    const found = await readTask(call, params.taskId, query.asOf);
    if (!found.ok) return found;
    return reply(taskView(found.value), { etag: found.value.eventSeq });
  }),
  createHandler(getStatus, async (call, { params, query }) => {
    const found = await readTask(call, params.taskId, query.asOf);
    if (!found.ok) return found;
    const { id: taskId, eventSeq, statusSince, step } = found.value;
    const explained = explain(factsOf(found.value));
    return reply(
      { taskId, eventSeq, statusSince, attention: attentionOf(step), ...explained },
      { etag: eventSeq },
    );
  }),
];

function newTaskOf(body: z.output<typeof newTask>): NewTask {
  return {
    fields: {
      title: body.title,
      externalId: body.externalId ?? null,
      taxonomyCode: body.taxonomyCode ?? null,
      priority: body.priority ?? 0,
      assignee: body.assignee ?? null,
    },
    content: body.content ?? {},
    start: body.start,
  };
}

function importRow(item: unknown): ImportRow {
  const parsed = validate(newTask, item);
  if (parsed.ok) return { task: newTaskOf(parsed.value) };
  const { fault } = parsed;
  const issues = fault.code === "validation_failed" ? fault.issues : [];
  // Told back only where it is one: the item may be anything.
  const named = z.looseObject({ externalId }).safeParse(item);
  return { issues, externalId: named.success ? named.data.externalId : null };
}

/** The task as it is, or as it was at the moment that the call names. */
async function readTask(
  { database }: Call,
  ref: TaskRef,
  moment: z.output<typeof asOf> | undefined,
): Promise<Outcome<TaskRecord>> {
  if (moment !== undefined) return stateAsOf(database, ref, moment);
  const found = await findTask(database, ref);
  return found === null ? refuse(notFound()) : succeed(found);
}
