import { type SQL, sql } from "drizzle-orm";
import type { BulkOutcome } from "../../domain/bulk/outcomes.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { type BulkOpening, insertBulkOperation } from "./bulk-ledger.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepResult } from "../ledger/operations.ts";

/** A task of an accepted operation, and the decision about it. */
export interface AcceptedItem {
  taskId: string;
  plannedSeq: number | null;
  fromLabel: UnifiedStatus | null;
  toLabel: UnifiedStatus | null;
  outcome: Extract<BulkOutcome, "pending" | "refused" | "stale">;
  code: string | null;
}

/** The stored result of an accepted call. A repeat gets the same answer, even if the operation has finished since. */
export interface StoredAcceptance {
  bulkOperationId: string;
  isAccepted: true;
}

/**
 * Stores an operation with all of its items, in one round trip, for a consumer to process. Refused and stale items are
 * stored with that outcome.
 */
export function acceptBulk(
  database: TenantDatabase,
  call: { operation: Operation; opening: BulkOpening },
  items: readonly AcceptedItem[],
): Promise<Written<unknown>> {
  const count = (outcome: BulkOutcome) => items.filter((item) => item.outcome === outcome).length;
  const counts = { requested: items.length, refused: count("refused"), stale: count("stale") };
  // Arrays instead of objects, whose member names would be half of the request.
  const rows = items.map(({ taskId, plannedSeq, fromLabel, toLabel, outcome, code }) => [
    taskId,
    plannedSeq,
    fromLabel,
    toLabel,
    outcome,
    code,
  ]);
  return storeAccepted(
    database,
    call,
    counts,
    sql`
    select position - 1, i ->> 0, (i ->> 1)::integer, i ->> 2, i ->> 3, i ->> 4, i ->> 5
    from json_array_elements(${JSON.stringify(rows)}) with ordinality as given(i, position)`,
  );
}

/**
 * Stores an operation that reverts the changed items of another one, or that retries the other items of a revert. The
 * items are copied inside the database.
 */
export function acceptRevert(
  database: TenantDatabase,
  call: { operation: Operation; opening: BulkOpening },
  source: { operationId: string; outcomes: readonly BulkOutcome[]; items: number },
): Promise<Written<unknown>> {
  const counts = { requested: source.items, refused: 0, stale: 0 };
  // The labels are swapped for changed items. The others are of a revert, which already has them in the right order.
  return storeAccepted(
    database,
    call,
    counts,
    sql`
    select row_number() over (order by i.position) - 1, i.task_id, coalesce(i.event_seq, i.planned_seq),
      case when i.outcome = 'changed' then i.to_label else i.from_label end,
      case when i.outcome = 'changed' then i.from_label else i.to_label end, 'pending', null
    from bulk_operation_items i
    where i.operation_id = ${source.operationId} and i.planned_seq is not null
      and i.outcome in (select json_array_elements_text(${JSON.stringify(source.outcomes)}))`,
  );
}

async function storeAccepted(
  database: TenantDatabase,
  { operation, opening }: { operation: Operation; opening: BulkOpening },
  counts: Parameters<typeof insertBulkOperation>[1]["counts"],
  items: SQL,
): Promise<Written<unknown>> {
  const { tenantId } = database;
  const { id } = operation;
  const result: StoredAcceptance = { bulkOperationId: id, isAccepted: true };
  const written = await database.write(operation, [
    ...insertBulkOperation(tenantId, { id, opening, state: "queued", counts }),
    sql`insert into bulk_operation_items (tenant_id, operation_id, position, task_id, planned_seq, from_label,
        to_label, outcome, code)
      select ${tenantId}::uuid, ${id}::uuid, accepted.* from (${items}) accepted`,
    keepResult(id, result),
  ]);
  // A replay enqueues the operation that it finds (replayBulk).
  if (written.outcome === "written") database.outgoing.operations.push(id);
  return written;
}
