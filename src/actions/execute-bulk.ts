import { findBulkLedger, type StoredBulkItem } from "../db/bulk-operations.ts";
import type { LedgerItem } from "../db/bulk-ledger.ts";
import type { StoredOperation } from "../db/client.ts";
import { type LoadedTasks, loadTasks } from "../db/load-tasks.ts";
import type { RecordedMoves } from "../db/record-moves.ts";
import type { BulkItem, BulkPlan } from "../domain/bulk/plan.ts";
import { changedSincePlan, planTokenFault, stalePlan } from "../domain/bulk/plan-token.ts";
import { accept, invalidPlanToken, type Outcome, refuse } from "../domain/refusals.ts";
import { taskRefOf } from "../domain/task-ref.ts";
import type { ActionCall, Done } from "./call.ts";
import { type BulkChange, changeMisuse, planChange } from "./plan-change.ts";
import { digestPlan, openPlan, type PlanSeal } from "./plan-token.ts";
import { type BulkRow, recordBulk } from "./record-bulk.ts";
import { inProgress, replayOf } from "./replay.ts";
import { type BulkExecution, executionView } from "./views/bulk-views.ts";

export interface ExecuteCall extends ActionCall {
  seal: PlanSeal;
  now: Date;
}

export interface ExecuteInput extends BulkChange {
  taskIds: readonly string[];
  /** The plan to hold to; without one, what is found is planned and done. */
  planToken?: string | undefined;
  /** What becomes of the whole where single tasks have changed since the plan was made. */
  onStale: "abort" | "skip";
}

/**
 * Plans as preview does, and records what is eligible: each task whole or not at all, in two round trips. A repeat
 * of the call gets the first answer, and goes on with what the first try left undone.
 */
export async function executeBulk(
  call: ExecuteCall,
  input: ExecuteInput,
): Promise<Outcome<Done<BulkExecution>>> {
  const misuse = changeMisuse(input);
  if (misuse) return refuse(misuse);
  const loaded = await loadTasks(
    call.database,
    { tasks: input.taskIds.map(taskRefOf), duplicateOf: input.duplicateOf },
    { operation: call.operation, withSteps: false },
  );
  if (loaded.stored) return goOn(call, loaded, loaded.stored);

  const plan = planChange(loaded, input, input.taskIds);
  if (!plan.ok) return plan;
  const changed = await changedSincePreview(call, input, plan.value, loaded.duplicateOf);
  if (!changed.ok) return changed;

  const rows = plan.value.items.map((item, position) =>
    rowOf(item, position, { loaded, isStale: changed.value.has(item.taskId) }),
  );
  const { targetStatus, reason, runAttachedWorkflows } = input;
  const { duplicateOf } = loaded;
  const recorded = await recordBulk(call, rows, {
    bulkId: call.operation.id,
    opening: { targetStatus, reason, runAttachedWorkflows, duplicateOf },
  });
  if (recorded.outcome === "in_progress") return refuse(inProgress());
  if (recorded.outcome === "taken") return goOn(call, loaded, recorded.operation);
  const value = recorded.whole
    ? answerFrom(call.operation.id, rows, recorded.whole)
    : await answerFromLedger(call, call.operation.id);
  return accept({ value, replayed: false });
}

/** Which tasks stand otherwise than the plan says that the caller agreed to; none where no plan was given. */
async function changedSincePreview(
  { seal, database, actor, now }: ExecuteCall,
  input: ExecuteInput,
  plan: BulkPlan,
  duplicateOf: string | null,
): Promise<Outcome<ReadonlySet<string>>> {
  if (input.planToken === undefined) return accept(new Set());
  const contents = await openPlan(seal, input.planToken);
  if (contents === null) return refuse(invalidPlanToken());
  const { targetStatus, runAttachedWorkflows } = input;
  const { tenantId } = database;
  const request = { tenantId, actorId: actor.id, targetStatus, runAttachedWorkflows, duplicateOf };
  const digests = digestPlan(seal, plan);
  const fault = planTokenFault(contents, request, digests, now.getTime());
  if (fault) return refuse(fault);
  const changed = changedSincePlan(contents, plan, digests);
  if (changed.length > 0 && input.onStale === "abort") return refuse(stalePlan(changed));
  return accept(new Set(changed.map(({ taskId }) => taskId)));
}

/** A planned task as the ledger is to have it, with its move where it is to move. */
function rowOf(
  item: BulkItem,
  position: number,
  { loaded, isStale }: { loaded: LoadedTasks; isStale: boolean },
): BulkRow {
  const snapshot = loaded.find({ id: item.taskId });
  const step = snapshot?.step;
  const refusal = item.decision === "refused" && !isStale ? item.code : null;
  const ledgerItem: LedgerItem = {
    position,
    taskId: item.taskId,
    id: snapshot?.id ?? null,
    plannedSeq: item.eventSeq,
    stepId: step?.id ?? null,
    fromStatus: step?.status ?? null,
    fromGate: step?.gate ?? null,
    fromLabel: item.from,
    toLabel: item.to,
    outcome: refusal === null ? null : "refused",
    code: refusal,
    error: null,
  };
  const moves = item.decision === "eligible" && snapshot !== undefined && !isStale;
  return { item: ledgerItem, move: moves ? { snapshot, decision: item.change } : null };
}

/**
 * Answers a call that was made before. Items that have no outcome yet are tried now, each only if its task still
 * stands where it was planned: then the plan of then is the plan of now.
 */
async function goOn(
  call: ExecuteCall,
  loaded: LoadedTasks,
  stored: StoredOperation,
): Promise<Outcome<Done<BulkExecution>>> {
  const known = replayOf<{ bulkOperationId: string }>(call.operation, stored);
  if (!known.ok) return known;
  const bulkId = known.value.bulkOperationId;
  const { operation, items } = await bulkLedger(call, bulkId);
  const pending = new Map(
    items.flatMap((item) => (item.outcome === "pending" ? [[item.taskId, item]] : [])),
  );
  if (pending.size === 0) {
    const replayed = stored.id !== call.operation.id;
    return accept({ value: executionView(operation, items), replayed });
  }

  const { targetStatus, reason, runAttachedWorkflows, duplicateOf } = operation;
  const change = {
    targetStatus,
    reason,
    runAttachedWorkflows,
    duplicateOf: duplicateOf === null ? undefined : { id: duplicateOf },
  };
  const plan = planChange({ ...loaded, duplicateOf }, change, [...pending.keys()]);
  if (!plan.ok) return plan;
  const rows = plan.value.items.flatMap((item) => {
    const planned = pending.get(item.taskId);
    if (planned === undefined) return [];
    const isStale = item.eventSeq !== planned.plannedSeq;
    return rowOf(item, planned.position, { loaded, isStale });
  });
  const recorded = await recordBulk(call, rows, { bulkId, opening: null });
  if (recorded.outcome === "in_progress") return refuse(inProgress());
  return accept({ value: await answerFromLedger(call, bulkId), replayed: false });
}

/** The answer to a call whose rows were all written at once: what the ledger now says, without asking it. */
function answerFrom(
  bulkId: string,
  rows: readonly BulkRow[],
  written: RecordedMoves,
): BulkExecution {
  const seqs = new Map(written.events.map(({ taskId, seq }) => [taskId, seq]));
  const items = rows.map(({ item }): StoredBulkItem => {
    const eventSeq = seqs.get(item.taskId) ?? null;
    const outcome = item.outcome ?? (eventSeq === null ? "stale" : "changed");
    const code = item.code ?? (outcome === "stale" ? "stale" : null);
    return { ...item, outcome, code, eventSeq };
  });
  return executionView({ id: bulkId, dispatched: written.dispatched.length }, items);
}

async function answerFromLedger(call: ExecuteCall, bulkId: string): Promise<BulkExecution> {
  const { operation, items } = await bulkLedger(call, bulkId);
  return executionView(operation, items);
}

async function bulkLedger({ database }: ExecuteCall, bulkId: string) {
  const ledger = await findBulkLedger(database, bulkId);
  if (ledger === undefined) throw new Error("A bulk operation has its row in the ledger");
  return ledger;
}
