import type { BulkOpening } from "../../db/bulk/bulk-ledger.ts";
import type { LoadedTasks } from "../../db/snapshots/load-tasks.ts";
import type { DecidedPlan } from "../../domain/bulk/plan.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";
import { recordAndAnswer } from "./answer.ts";
import type { BulkChange } from "./plan-change.ts";
import { plannedRow, staleRow } from "./rows.ts";

/** Records a plan in the request that planned it, and answers with the outcome of each task. */
export function recordPlan(
  call: ActionCall,
  planned: {
    plan: DecidedPlan;
    loaded: Pick<LoadedTasks, "find">;
    /** Ids of the tasks that have changed since the preview that the caller agreed to. */
    stale: ReadonlySet<string>;
    opening: BulkOpening;
  },
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const { plan, loaded, stale, opening } = planned;
  const rows = plan.items.map((item, position) => {
    const row = plannedRow(item, position, loaded.find({ id: item.taskId }));
    return stale.has(item.taskId) ? staleRow(row) : row;
  });
  return recordAndAnswer(call, rows, opening);
}

/** The ledger's row for an operation that this call opens. */
export function openingOf(
  { actor, requestId }: ActionCall,
  change: BulkChange,
  { duplicateOf, parentId }: Pick<BulkOpening, "duplicateOf" | "parentId">,
): BulkOpening {
  const { intent, reason, runAttachedWorkflows } = change;
  return { actor, requestId, intent, reason, duplicateOf, runAttachedWorkflows, parentId };
}
