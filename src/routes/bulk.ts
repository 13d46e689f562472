import * as z from "zod";
import { executeBulk } from "../actions/bulk/execute.ts";
import { showPlan } from "../actions/bulk/show-plan.ts";
import { decodeIntent } from "../domain/bulk/intent.ts";
import { EXECUTED_TASKS_MAX, PLANNED_TASKS_MAX } from "../domain/bulk/limits.ts";
import { reply, takeTurn } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { listedName, reason } from "./http/schemas.ts";
import {
  accepted,
  checkIntent,
  execution,
  intent,
  onStale,
  planToken,
  preview,
  replyBulk,
  sealOf,
  terms,
} from "./shapes/bulk.ts";
import { taskFilter } from "./shapes/task-filter.ts";

const taskIds = z
  .array(listedName)
  .min(1)
  .max(PLANNED_TASKS_MAX)
  .openapi({ description: "The tasks to change. Duplicates are ignored." });

const IGNORED = "Ignored. Accepted so that you can preview the body of an execution.";

const postPreview = defineContract({
  operationId: "previewBulk",
  method: "POST",
  path: "/bulk/preview",
  summary: "Preview a bulk change",
  description: `Returns what a bulk change would do to each of up to ${PLANNED_TASKS_MAX} tasks, by the same rules as the execution. Changes nothing. Name the tasks by \`taskIds\` or by \`filter\`.`,
  tags: ["Bulk changes"],
  role: "viewer",
  service: true,
  bodyMax: "large",
  body: z
    .strictObject({
      ...intent,
      ...terms,
      taskIds: taskIds.optional(),
      filter: taskFilter.optional(),
      reason: reason.optional(),
      planToken: z.string().optional().openapi({ description: IGNORED }),
      onStale: onStale.optional().openapi({ description: IGNORED }),
    })
    .superRefine((body, context) => {
      checkIntent(body, context);
      if ((body.taskIds === undefined) !== (body.filter === undefined)) return;
      const message = "Set either taskIds or filter.";
      context.addIssue({ code: "custom", params: { code: "one_of" }, message });
    })
    .openapi("PreviewBulk"),
  example: { taskIds: ["ext:gsm8k-0042"], targetStatus: "REJECTED" },
  response: { status: 200, description: "The plan.", schema: preview },
  errors: ["not_found", "conflict"],
});

const postExecute = defineContract({
  operationId: "executeBulk",
  method: "POST",
  path: "/bulk/execute",
  summary: "Execute a bulk change",
  description: `Changes up to ${PLANNED_TASKS_MAX} tasks. Each task succeeds or fails separately, and is never changed in part. With a \`planToken\`, tasks that have changed since the preview fail the whole request with 409 \`plan_stale\` (\`onStale: abort\`) or are skipped (\`skip\`). Up to ${EXECUTED_TASKS_MAX} tasks are changed before the response. A larger change returns 202 and continues in the background; its operation reports the progress. A retry with the same \`Idempotency-Key\` returns the same response.`,
  tags: ["Bulk changes"],
  role: "reviewer",
  bodyMax: "large",
  body: z
    .strictObject({
      ...intent,
      ...terms,
      taskIds,
      reason,
      planToken: planToken.optional(),
      onStale: onStale.default("abort"),
    })
    .superRefine(checkIntent)
    .openapi("ExecuteBulk"),
  example: { taskIds: ["ext:gsm8k-0042"], targetStatus: "REJECTED", reason: "Out of scope." },
  response: { status: 200, description: "The outcome of each task.", schema: execution },
  alternative: accepted,
  errors: ["not_found", "conflict", "invalid_plan_token", "plan_expired", "plan_stale"],
  idempotency: "required",
});

export const bulkRoutes: readonly Route[] = [
  createHandler(postPreview, async (call, { body }) => {
    const { taskIds: names = [], filter, reason: why = "" } = body;
    const { duplicateOf, runAttachedWorkflows } = body;
    const plan = () =>
      showPlan(
        { ...call, seal: sealOf(call) },
        { intent: decodeIntent(body), duplicateOf, runAttachedWorkflows, reason: why },
        filter === undefined ? { taskIds: names } : { filter },
      );
    // A filter can match any number of tasks.
    const isLarge = filter !== undefined || names.length > EXECUTED_TASKS_MAX;
    const planned = await (isLarge ? takeTurn(call, "plans", plan) : plan());
    return planned.ok ? reply(planned.value) : planned;
  }),

  createHandler(postExecute, async (call, { body }) => {
    const { planToken, onStale: stale, ...change } = body;
    const { identity, now } = call;
    const agreement =
      planToken === undefined
        ? undefined
        : { planToken, onStale: stale, identity, seal: sealOf(call), now };
    const input = { ...change, intent: decodeIntent(body), agreement };
    const execute = () => executeBulk(call, input);
    const isLarge = body.taskIds.length > EXECUTED_TASKS_MAX;
    return replyBulk(await (isLarge ? takeTurn(call, "plans", execute) : execute()));
  }),
];
