import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import type { BulkPlan } from "../../domain/bulk/plan.ts";
import { changedSincePlan, planTokenFault, stalePlan } from "../../domain/bulk/plan-token.ts";
import {
  succeed,
  invalidPlanToken,
  type Outcome,
  refuse,
  type Refusal,
  validationFailed,
} from "../../domain/refusals.ts";
import { taskRefOf } from "../../domain/task-ref.ts";
import { acceptPlan } from "./accept.ts";
import { replayBulk } from "./answer.ts";
import type { ActionCall, Done } from "../call/call.ts";
import {
  type BulkChange,
  changeMisuse,
  looksAtSteps,
  planChange,
  tokenRequest,
} from "./plan-change.ts";
import { planInParts } from "./plan-in-parts.ts";
import { digestPlan, openPlan, type PlanSeal } from "./plan-token.ts";
import { EXECUTED_TASKS_MAX, openingOf, recordPlan } from "./record-plan.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";

export interface ExecuteCall extends ActionCall {
  seal: PlanSeal;
  now: Date;
}

export type ExecuteInput = BulkChange & {
  taskIds: readonly string[];
  /** The plan to hold to; without one, what is found is planned and done. */
  planToken?: string | undefined;
  /** What becomes of the whole where single tasks have changed since the plan was made. */
  onStale: "abort" | "skip";
};

/**
 * Plans as preview does, and records what is eligible: each task whole or not at all, in two round trips. Of more than
 * 1,000 tasks the plan is stored, to be worked through. A repeat of the call gets the first answer, and goes on with
 * what the first try left undone.
 */
export async function executeBulk(
  call: ExecuteCall,
  input: ExecuteInput,
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const misuse = executionMisuse(input);
  if (misuse) return refuse(misuse);
  const isLarge = new Set(input.taskIds).size > EXECUTED_TASKS_MAX;
  return isLarge ? executeLater(call, input) : executeNow(call, input);
}

/** Pipelines run in bulk on a literal yes alone, also where they are all that is asked for. */
function executionMisuse(input: ExecuteInput): Refusal | null {
  if (input.action === "run_pipelines" && !input.runAttachedWorkflows) {
    const message = "run_pipelines takes runAttachedWorkflows: true.";
    return validationFailed({ path: ["runAttachedWorkflows"], code: "required", message });
  }
  return changeMisuse(input);
}

async function executeNow(
  call: ExecuteCall,
  input: ExecuteInput,
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const loaded = await loadTasks(
    call.database,
    { tasks: input.taskIds.map(taskRefOf), duplicateOf: input.duplicateOf },
    { operation: call.operation, withSteps: looksAtSteps(input) },
  );
  if (loaded.stored) return replayBulk(call, loaded.stored);
  const plan = planChange(loaded, input, input.taskIds);
  if (!plan.ok) return plan;
  const changed = await changedSincePreview(call, input, plan.value, loaded.duplicateOf);
  if (!changed.ok) return changed;
  const opening = openingOf(call, input, { duplicateOf: loaded.duplicateOf, parentId: null });
  return recordPlan(call, { plan: plan.value, loaded, stale: changed.value, opening });
}

async function executeLater(
  call: ExecuteCall,
  input: ExecuteInput,
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const planned = await planInParts(call, input, input);
  if (!planned.ok) return planned;
  const { plan, duplicateOf, stored } = planned.value;
  if (stored) return replayBulk(call, stored);
  const changed = await changedSincePreview(call, input, plan, duplicateOf);
  if (!changed.ok) return changed;
  const opening = openingOf(call, input, { duplicateOf, parentId: null });
  return acceptPlan(call, { plan, stale: changed.value, opening });
}

/** Which tasks stand otherwise than the plan says that the caller agreed to; none where no plan was given. */
async function changedSincePreview(
  { seal, database, actor, now }: ExecuteCall,
  input: ExecuteInput,
  plan: BulkPlan,
  duplicateOf: string | null,
): Promise<Outcome<ReadonlySet<string>>> {
  if (input.planToken === undefined) return succeed(new Set());
  const contents = await openPlan(seal, input.planToken);
  if (contents === null) return refuse(invalidPlanToken());
  const caller = { tenantId: database.tenantId, actorId: actor.id };
  const request = tokenRequest(caller, input, duplicateOf);
  const digests = digestPlan(seal, plan);
  const fault = planTokenFault(contents, request, digests, now.getTime());
  if (fault) return refuse(fault);
  const changed = changedSincePlan(contents, plan, digests);
  if (changed.length > 0 && input.onStale === "abort") return refuse(stalePlan(changed));
  return succeed(new Set(changed.map(({ taskId }) => taskId)));
}
