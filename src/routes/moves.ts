import * as z from "zod";
import { type MoveOfMany, moveTasks } from "../actions/moves/move-tasks.ts";
import type { Command } from "../domain/lifecycle/commands.ts";
import { runsAttachedByDefault } from "../domain/lifecycle/attached.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { reason, taskRef } from "./http/schemas.ts";
import { runAttachedWorkflows } from "./shapes/moved.ts";
import { stepKind, stepStatus } from "./shapes/task.ts";

export const MOVES_MAX = 1000;

const move = z
  .strictObject({
    task: taskRef,
    status: stepStatus.optional(),
    advance: z.literal(true).optional(),
    rework: stepKind.optional().openapi({ description: "The kind to go back to." }),
    reason: reason.optional(),
    ifSeq: z.int().min(1).optional().openapi({ description: "Only from this `eventSeq` on." }),
  })
  .superRefine(({ status, advance, rework, reason: why }, context) => {
    const asked = [status, advance, rework].filter((part) => part !== undefined).length;
    if (asked !== 1) {
      const params = { code: "one_of" };
      const message = "One of status, advance and rework says what to do.";
      context.addIssue({ code: "custom", params, message });
    }
    if (rework !== undefined && why === undefined) {
      const params = { code: "required" };
      context.addIssue({
        code: "custom",
        path: ["reason"],
        params,
        message: "Rework takes a reason.",
      });
    }
  })
  .openapi("Move");

const count = z.int().min(0);

const postMoves = defineContract({
  operationId: "moveTasks",
  method: "POST",
  path: "/moves",
  summary: "Make many moves of different tasks",
  description:
    "Each is judged by itself, as the call on its task alone would be; only what the caller's role may do to no task refuses the whole call. No pipeline runs unless asked for.",
  tags: ["Steps and moves"],
  role: "operator",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({ moves: z.array(move).min(1).max(MOVES_MAX), runAttachedWorkflows })
    .openapi("MoveTasks"),
  response: {
    status: 200,
    description: "What became of each.",
    schema: z
      .strictObject({
        counts: z.strictObject({ requested: count, changed: count, refused: count, stale: count }),
        items: z.array(
          z.strictObject({
            index: count,
            outcome: z.enum(["changed", "refused", "stale"]),
            error: z.string().optional(),
            allowed: z.array(z.string()).readonly().optional(),
            eventSeq: z.int().optional(),
          }),
        ),
      })
      .openapi("MovedTasks"),
  },
  idempotency: "optional",
});

export const moveRoutes: readonly Route[] = [
  createHandler(postMoves, async (call, { body }) => {
    const optedIn =
      body.runAttachedWorkflows ?? runsAttachedByDefault({ role: call.actor.role, tasks: "many" });
    const moves = body.moves.map((asked): MoveOfMany => ({
      task: asked.task,
      ifSeq: asked.ifSeq,
      command: commandOf(asked, optedIn),
    }));
    const outcome = await moveTasks(call, moves);
    return outcome.ok ? reply(outcome.value.value, { replayed: outcome.value.replayed }) : outcome;
  }),
];

function commandOf(
  { status, rework, reason: why }: z.output<typeof move>,
  runAttached: boolean,
): Command {
  const common = { reason: why, runAttachedWorkflows: runAttached };
  if (status !== undefined) return { type: "transition", status, ...common };
  // The schema lets no rework without a reason through.
  if (rework !== undefined) return { type: "rework", toKind: rework, ...common, reason: why ?? "" };
  return { type: "advance", ...common };
}
