import { loadBulkWork } from "../../db/bulk/bulk-work.ts";
import type { BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { endCancelled } from "../../db/bulk/end-bulk.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { workRows } from "./rows.ts";
import type { ActionCall } from "../call/call.ts";
import { recordBulk } from "./record.ts";

/** Tasks of one chunk: what one statement moves well. */
export const CHUNK_TASKS_MAX = 1000;

/** How far an operation was brought: to its end, to the end of this worker's share, or another one is at it. */
export type BulkProgress = "ended" | "unfinished" | "busy";

/**
 * Works through what is pending of an operation, chunk by chunk, as its own actor: each chunk in two round trips, each
 * under an operation id of its own, so that it does no harm when this breaks off anywhere, or runs twice at once.
 * Between chunks it looks whether somebody wants it cancelled.
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
    const { reason } = operation;
    const run = { bulkId: operationId, reason, opening: null };
    const recorded = await recordBulk(callOf(database, operation), workRows(work), run);
    if (recorded.outcome === "in_progress") return "busy";
    if (work.items.length < CHUNK_TASKS_MAX) return "ended";
  }
  return "unfinished";
}

/** The call that began the operation, for those who go on with it: events tell of its actor and its request. */
function callOf(database: TenantDatabase, operation: BulkOperationRecord): ActionCall {
  const { id, actorId, actorName, actorKind, actorRole, requestId } = operation;
  return {
    database,
    actor: { id: actorId, name: actorName, kind: actorKind, role: actorRole },
    requestId,
    // Each batch has one that is derived from it.
    operation: { id, actorId, route: "workOnBulk", key: null, fingerprint: "" },
  };
}
