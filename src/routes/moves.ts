import * as z from "zod";
import { type MoveOfMany, moveTasks } from "../actions/moves/move-tasks.ts";
import type { Command } from "../domain/lifecycle/commands.ts";
import { runsAttachedByDefault } from "../domain/lifecycle/attached.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { itemIssues, listedTaskRef, reason } from "./http/schemas.ts";
import { runAttachedWorkflows } from "./shapes/moved.ts";
import { stageName } from "./shapes/stage.ts";
import { stepStatus } from "./shapes/task.ts";

export const MOVES_MAX = 1000;

const move = z
  .strictObject({
    task: listedTaskRef,
    status: stepStatus.optional(),
    advance: z.literal(true).optional(),
    rework: stageName.optional().openapi({ description: "The stage to go back to." }),
    reason: reason.optional(),
    ifSeq: z.int().min(1).optional().openapi({
      description: "The task's expected `eventSeq`. If it differs, the move is `stale`.",
    }),
  })
  .superRefine(({ status, advance, rework, reason: why }, context) => {
    const given = [status, advance, rework].filter((part) => part !== undefined).length;
    if (given !== 1) {
      const params = { code: "one_of" };
      const message = "Set exactly one of status, advance, and rework.";
      context.addIssue({ code: "custom", params, message });
    }
    if (rework !== undefined && why === undefined) {
      const params = { code: "required" };
      context.addIssue({
        code: "custom",
        path: ["reason"],
        params,
        message: "Rework requires a reason.",
      });
    }
  })
  .openapi("Move");

const count = z.int().min(0);

const postMoves = defineContract({
  operationId: "moveTasks",
  method: "POST",
  path: "/moves",
  summary: "Move tasks",
  description: `Applies up to ${MOVES_MAX} moves, each to a different task: a status change, an advance, or a rework. Each move succeeds or fails separately, as the call for a single task would. A move that lacks a required reason is refused with \`validation_failed\` and its \`issues\`. A move that the caller's role may never make fails the whole request with 403 \`forbidden\`. Attached pipelines run only if \`runAttachedWorkflows\` is \`true\`.`,
  tags: ["Steps and moves"],
  role: "operator",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({ moves: z.array(move).min(1).max(MOVES_MAX), runAttachedWorkflows })
    .openapi("MoveTasks"),
  example: { moves: [{ task: "ext:gsm8k-0042", status: "running" }] },
  response: {
    status: 200,
    description: "The outcome of each move.",
    schema: z
      .strictObject({
        counts: z.strictObject({ requested: count, changed: count, refused: count, stale: count }),
        items: z.array(
          z.strictObject({
            index: count,
            outcome: z.enum(["changed", "refused", "stale"]),
            error: z.string().optional(),
            allowed: z.array(z.string()).readonly().optional(),
            issues: itemIssues.optional(),
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
    const runAttached =
      body.runAttachedWorkflows ?? runsAttachedByDefault({ role: call.actor.role, tasks: "many" });
    const moves = body.moves.map((requested): MoveOfMany => ({
      task: requested.task,
      ifSeq: requested.ifSeq,
      command: commandOf(requested, runAttached),
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
  // The schema rejects a rework without a reason.
  if (rework !== undefined) return { type: "rework", toKind: rework, ...common, reason: why ?? "" };
  return { type: "advance", ...common };
}
