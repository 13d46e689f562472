import { loadBulkWork } from "../../db/bulk/bulk-work.ts";
import type { BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { endCancelled } from "../../db/bulk/end-bulk.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import type { ActionCall } from "../call/call.ts";
import { recordBulk } from "./record.ts";
import { workRows } from "./rows.ts";
import { CHUNK_TASKS_MAX } from "../../domain/bulk/limits.ts";

/** Why a worker stopped: the operation ended, its own share was done, or another worker holds the chunk. */
export type BulkProgress = "ended" | "unfinished" | "busy";

/**
 * Works through an operation's pending items as the actor who began it. Each chunk takes two round trips under an
 * operation id of its own, so this can stop anywhere and run twice concurrently. Between chunks it checks whether
 * someone has requested cancellation.
 */
export async function workOnBulk(
  database: TenantDatabase,
  operationId: string,
  { chunksMax }: { chunksMax: number },
): Promise<BulkProgress> {
  for (let chunk = 0; chunk < chunksMax; chunk += 1) {
    const wanted = { operationId, outcomes: ["pending"], limit: CHUNK_TASKS_MAX } as const;
    const work = await loadBulkWork(database, wanted);
    if (work === undefined || isOperationEnded(work.operation.state)) return "ended";
    const { operation } = work;
    if (operation.cancelRequestedAt !== null) {
      await endCancelled(database, operationId);
      return "ended";
    }
    const owner = { id: operationId, reason: operation.reason, opening: null };
    const recorded = await recordBulk(callOf(database, operation), workRows(work), owner);
    if (recorded.outcome === "in_progress") return "busy";
    if (work.items.length < CHUNK_TASKS_MAX) return "ended";
  }
  return "unfinished";
}

/** The call that began the operation. Events of every chunk name its actor and its request. */
function callOf(database: TenantDatabase, operation: BulkOperationRecord): ActionCall {
  const { id, actorId, actorName, actorKind, actorRole, requestId } = operation;
  return {
    database,
    actor: { id: actorId, name: actorName, kind: actorKind, role: actorRole },
    requestId,
    // Each batch derives its own operation from this one.
    operation: { id, actorId, route: "workOnBulk", key: null, fingerprint: "" },
  };
}
