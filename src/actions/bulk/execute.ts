import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import type { Original } from "../../domain/lifecycle/duplicates.ts";
import type { BulkPlan } from "../../domain/bulk/plan.ts";
import {
  succeed,
  type Outcome,
  refuse,
  type Refusal,
  validationFailed,
} from "../../domain/refusals.ts";
import { taskRefOf } from "../../domain/task-ref.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";
import { acceptPlan } from "./accept.ts";
import { type Agreed, type Agreement, staleTasks } from "./agreed-plan.ts";
import { replayBulk } from "./answer.ts";
import {
  type BulkChange,
  changeMisuse,
  needsAllSteps,
  needsNamedBy,
  originalMisuse,
  planChange,
} from "./plan-change.ts";
import { planInParts } from "./plan-in-parts.ts";
import { openingOf, recordPlan } from "./record-plan.ts";
import { EXECUTED_TASKS_MAX } from "../../domain/bulk/limits.ts";

export interface ExecuteInput extends BulkChange {
  taskIds: readonly string[];
  /** The previewed plan to enforce. Without one, the tasks are changed in their current state. */
  agreement?: (Agreement & Agreed) | undefined;
}

type Executed = Outcome<Done<BulkExecution | BulkAccepted>>;

/**
 * Plans like preview and changes the eligible tasks, each completely or not at all, in two round trips. A plan of more
 * than 1,000 tasks is stored for a consumer. A repeat of the call gets the first answer, and finishes what the first
 * call left pending.
 */
export async function executeBulk(call: ActionCall, input: ExecuteInput): Promise<Executed> {
  const misuse = executionMisuse(input);
  if (misuse) return refuse(misuse);
  const isLarge = new Set(input.taskIds).size > EXECUTED_TASKS_MAX;
  return isLarge ? executeLater(call, input) : executeNow(call, input);
}

/** In bulk, pipelines run only if the caller opts in, even if nothing else was requested. */
function executionMisuse(input: ExecuteInput): Refusal | null {
  if (input.intent.action === "run_pipelines" && !input.runAttachedWorkflows) {
    const message = "run_pipelines requires runAttachedWorkflows: true.";
    return validationFailed({ path: ["runAttachedWorkflows"], code: "required", message });
  }
  return changeMisuse(input);
}

async function executeNow(call: ActionCall, input: ExecuteInput): Promise<Executed> {
  const loaded = await loadTasks(
    call.database,
    { tasks: input.taskIds.map(taskRefOf), duplicateOf: input.duplicateOf },
    {
      operation: call.operation,
      withSteps: needsAllSteps(input.intent),
      withNamedBy: needsNamedBy(input.intent),
    },
  );
  if (loaded.stored) return replayBulk(call, loaded.stored);
  const plan = planChange(call, loaded, input, input.taskIds);
  if (!plan.ok) return plan;
  const stale = await staleSince(call, input, plan.value, loaded.duplicateOf);
  if (!stale.ok) return stale;
  const opening = openingOf(call, input, {
    duplicateOf: loaded.duplicateOf?.id ?? null,
    parentId: null,
  });
  return recordPlan(call, { plan: plan.value, loaded, stale: stale.value, opening });
}

async function executeLater(call: ActionCall, input: ExecuteInput): Promise<Executed> {
  const planned = await planInParts(call, input, input);
  if (!planned.ok) return planned;
  const { plan, duplicateOf, stored } = planned.value;
  if (stored) return replayBulk(call, stored);
  const stale = await staleSince(call, input, plan, duplicateOf);
  if (!stale.ok) return stale;
  const opening = openingOf(call, input, { duplicateOf: duplicateOf?.id ?? null, parentId: null });
  return acceptPlan(call, { plan, stale: stale.value, opening });
}

/** Returns the ids of the tasks whose state differs from the plan token. Without a token, the original must be named now. */
async function staleSince(
  call: ActionCall,
  input: ExecuteInput,
  plan: BulkPlan,
  duplicateOf: Original | null,
): Promise<Outcome<ReadonlySet<string>>> {
  const { agreement } = input;
  if (agreement !== undefined) {
    return staleTasks({ ...call, ...agreement }, { change: input, agreement, plan, duplicateOf });
  }
  const ended = originalMisuse(duplicateOf);
  return ended ? refuse(ended) : succeed(new Set());
}
