import * as z from "zod";
import { createTask, type NewTask } from "../actions/tasks/create-task.ts";
import { IMPORT_OUTCOMES, type ImportRow, importTasks } from "../actions/tasks/import-tasks.ts";
import { DIFFERENCE_LENGTH_MAX } from "../db/moves/existing-tasks.ts";
import { lookUp, LOOKED_UP_PER_PART_MAX, type LookedUp } from "../actions/tasks/look-up.ts";
import { stateAsOf } from "../actions/history/state-as-of.ts";
import { taskView } from "../actions/views/task-view.ts";
import type { TaskRecord } from "../db/tasks/task-json.ts";
import { findTask } from "../db/tasks/tasks.ts";
import { START_STATUSES } from "../domain/lifecycle/transitions.ts";
import { succeed, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import { type Call, reply, takeTurn } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { externalId, itemIssues, reason, taskRef, uuid } from "./http/schemas.ts";
import { JsonStream } from "./http/streaming.ts";
import { validate } from "./http/validation.ts";
import { asOf } from "./shapes/as-of.ts";
import { stageName } from "./shapes/stage.ts";
import {
  assignee,
  priority,
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
      .strictObject({ kind: stageName, status: z.enum(START_STATUSES).optional(), reason })
      .optional()
      .openapi({
        description:
          "The step that a task from another system is already at. Requires the `reviewer` role.",
      }),
  })
  .openapi("CreateTask");

const postTask = defineContract({
  operationId: "createTask",
  method: "POST",
  path: "/tasks",
  summary: "Create a task",
  description:
    "Creates the task with version 1 and a first step, by default an `ingestion` step with the status `queued`. Returns 409 `conflict` if another task has the external id.",
  tags: ["Tasks and versions"],
  role: "operator",
  body: newTask,
  example: {
    title: "How many eggs are left?",
    externalId: "gsm8k-0042",
    taxonomyCode: "math.arithmetic",
    content: { brief: "Janet's ducks lay 16 eggs per day.", metadata: { difficulty: 3 } },
  },
  response: {
    status: 201,
    description: "The new task.",
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
  summary: "Import tasks",
  description: `Creates up to ${IMPORT_MAX} tasks. Each item is validated separately, so an invalid item does not affect the others. A body that cannot be parsed, for example because of a duplicate key or a NUL character, fails the whole request. An external id that already exists creates no task; its item returns the id of the existing task. The outcome is \`exists\` if the item has the title, the taxonomy code and the content that the task was created with or has now, and \`differs\` otherwise; \`differences\` then lists the fields, with values cut to ${DIFFERENCE_LENGTH_MAX} characters. You can therefore repeat an import until it is complete, and a record that only shares its id with a task is never taken for that task.`,
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
      dryRun: z
        .boolean()
        .openapi({ description: "Only returns what the import would do now; writes nothing." })
        .optional(),
    })
    .openapi("ImportTasks"),
  example: {
    tasks: [
      { title: "How many bolts does it take?", externalId: "gsm8k-0041" },
      { title: "How far does he run in a week?", externalId: "gsm8k-0043", priority: 80 },
    ],
  },
  response: {
    status: 200,
    description: "The outcome of each item.",
    schema: z
      .strictObject({
        counts: z.strictObject({
          requested: count,
          created: count,
          exists: count,
          differs: count,
          invalid: count,
        }),
        items: z.array(
          z.strictObject({
            index: count,
            externalId: z.string().nullable(),
            outcome: z.enum(IMPORT_OUTCOMES),
            id: uuid.optional(),
            differences: z
              .array(
                z.strictObject({
                  path: z.array(z.string()).readonly(),
                  existing: z.string().nullable(),
                  given: z.string().nullable(),
                }),
              )
              .readonly()
              .optional(),
            issues: itemIssues.optional(),
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
  summary: "Look up tasks by id",
  description: `Finds up to ${LOOKUP_MAX} tasks by id or external id, with or without the \`ext:\` prefix. Includes archived tasks. \`found\` and \`unresolved\` keep the order of the request. A malformed or overlong id is unresolved, like one that does not exist. The answer to more than ${LOOKED_UP_PER_PART_MAX} names is streamed while they are looked up. If an error occurs meanwhile, the connection is closed early.`,
  tags: ["Tasks and versions"],
  role: "viewer",
  service: true,
  bodyMax: "large",
  body: z.strictObject({ ids: z.array(z.string()).min(1).max(LOOKUP_MAX) }).openapi("LookUpTasks"),
  example: { ids: ["gsm8k-0042", "ext:gsm8k-0041"] },
  response: {
    status: 200,
    description: "The tasks that were found, and the ids that matched no task.",
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
  summary: "Retrieve a task",
  description:
    "Returns the task. With `asOf`, returns the task as it was at that point, computed from its history.",
  tags: ["Tasks and versions"],
  response: { status: 200, description: "The task.", schema: task, headers: ["ETag"] },
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
    const outcome = await importTasks(call, body.tasks.map(importRow), {
      isDryRun: body.dryRun ?? false,
    });
    if (!outcome.ok) return outcome;
    const { value, replayed } = outcome.value;
    return reply(value, { replayed });
  }),
  createHandler(postLookup, async (call, { body: { ids } }) => {
    if (ids.length <= LOOKED_UP_PER_PART_MAX) return reply(await lookUp(call.database, ids));
    const readPart = (start: number) =>
      takeTurn(call, "parts", () =>
        lookUp(call.database, ids.slice(start, start + LOOKED_UP_PER_PART_MAX)),
      );
    // The first part comes before the response starts, so that a database error gets an error response.
    const first = await readPart(0);
    return reply(new JsonStream(lookedUpJson(first, { total: ids.length, readPart })));
  }),
  createHandler(getTask, async (call, { params, query }) => {
    const found = await readTask(call, params.taskId, query.asOf);
    if (!found.ok) return found;
    return reply(taskView(found.value), { etag: found.value.eventSeq });
  }),
];

/** Writes what a lookup found, one part after the other, in the shape of its contract. */
async function* lookedUpJson(
  first: LookedUp,
  { total, readPart }: { total: number; readPart: (start: number) => Promise<LookedUp> },
): AsyncGenerator<string, void> {
  const unresolved: string[][] = [];
  let separator = "";
  yield '{"found":[';
  for (let start = 0; start < total; start += LOOKED_UP_PER_PART_MAX) {
    const part = start === 0 ? first : await readPart(start);
    unresolved.push(part.unresolved);
    if (part.found.length === 0) continue;
    yield separator + part.found.map((task) => JSON.stringify(task)).join();
    separator = ",";
  }
  yield `],"unresolved":${JSON.stringify(unresolved.flat())}}`;
}

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
  // The item can be any JSON, so the external id is returned only if it is a valid one.
  const named = z.looseObject({ externalId }).safeParse(item);
  return { issues, externalId: named.success ? named.data.externalId : null };
}

/** Returns the current task, or the task as it was at `point`. */
async function readTask(
  { database }: Call,
  ref: TaskRef,
  point: z.output<typeof asOf> | undefined,
): Promise<Outcome<TaskRecord>> {
  if (point !== undefined) return stateAsOf(database, ref, point);
  const found = await findTask(database, ref);
  return found === null ? refuse(notFound()) : succeed(found);
}
