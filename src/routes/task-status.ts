import * as z from "zod";
import { stateAsOf } from "../actions/history/state-as-of.ts";
import { loadTasks } from "../db/snapshots/load-tasks.ts";
import { type Actor, ROLES } from "../domain/actor.ts";
import { closedCommands } from "../domain/lifecycle/closed.ts";
import { lawfulCommands } from "../domain/lifecycle/moves.ts";
import type { TaskSnapshot } from "../domain/lifecycle/snapshot.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { attentionOf } from "../domain/status/attention.ts";
import { explain } from "../domain/status/explain.ts";
import { factsOf, RULE_CONDITIONS } from "../domain/status/resolve.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { lawfulCall } from "./http/lawful-call-schema.ts";
import { callOf, lawfulCalls, pathsOf } from "./http/lawful-calls.ts";
import { ERROR_CODES } from "./http/problem.ts";
import { taskRef, timestamp, uuid } from "./http/schemas.ts";
import { asOf } from "./shapes/as-of.ts";
import { labelFacts, resolverRule } from "./shapes/registry.ts";
import { attentionCode, unifiedStatus } from "./shapes/task.ts";

const getStatus = defineContract({
  method: "GET",
  role: "viewer",
  params: z.strictObject({ taskId: taskRef }),
  query: z.strictObject({ asOf: asOf.optional() }),
  errors: ["not_found"],
  operationId: "getTaskStatus",
  path: "/tasks/{taskId}/status",
  summary: "Explain a task's label",
  description:
    "Returns the task's label, the rule that gave it, the facts that the rule matched, and the conditions that each earlier rule did not meet; and what the caller can do with the task now, and what not, and why. With `asOf`, explains the label as it was at that point.",
  tags: ["Status and history"],
  response: {
    status: 200,
    description: "The label and its explanation.",
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
        next: z.array(lawfulCall).readonly().nullable().openapi({
          description: "The calls that the caller can make now. Null with `asOf`.",
        }),
        closed: z
          .array(
            z.strictObject({
              call: lawfulCall.omit({ needs: true }),
              code: z.enum(ERROR_CODES),
              detail: z.string(),
              required: z.enum(ROLES).optional().openapi({
                description: "The role that the call needs, if that is what is missing.",
              }),
            }),
          )
          .readonly()
          .nullable()
          .openapi({
            description:
              "The other calls that exist for tasks at this stage, each with the error that it would get now. Null with `asOf`.",
          }),
      })
      .openapi("TaskStatus"),
    headers: ["ETag"],
  },
});

export const taskStatusRoutes: readonly Route[] = [
  createHandler(getStatus, async (call, { params, query }) => {
    const { database, actor } = call;
    if (query.asOf !== undefined) {
      const past = await stateAsOf(database, params.taskId, query.asOf);
      return past.ok ? replyStatus(past.value, { next: null, closed: null }) : past;
    }
    const { tasks } = await loadTasks(
      database,
      { tasks: [params.taskId] },
      { operation: null, withSteps: false },
    );
    const [task] = tasks;
    if (task === undefined) return refuse(notFound());
    return replyStatus(task, openAndClosed(task, actor));
  }),
];

/** Explains the label of a task. */
function replyStatus<Calls extends object>(
  task: Parameters<typeof factsOf>[0] & Pick<TaskSnapshot, "id" | "eventSeq" | "statusSince">,
  calls: Calls,
) {
  const { id: taskId, eventSeq, statusSince } = task;
  const explained = explain(factsOf(task));
  const attention = attentionOf(explained.facts);
  return reply(
    { taskId, eventSeq, statusSince, attention, ...explained, ...calls },
    { etag: eventSeq },
  );
}

/** Returns the calls that the actor can make about a task now, and those that are refused. */
function openAndClosed(task: TaskSnapshot, actor: Actor) {
  const paths = pathsOf(task.id, task.step.id);
  return {
    next: lawfulCalls(lawfulCommands(task, actor.role)),
    closed: closedCommands(task, actor).map(({ command, refusal }) => ({
      call: callOf(command, paths),
      code: refusal.code,
      detail: refusal.detail,
      ...("required" in refusal && { required: refusal.required }),
    })),
  };
}
