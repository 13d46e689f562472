import type { Guard } from "./guard.ts";

/** Guards of the statements about bulk operations. */
export const BULK_GUARDS: readonly Guard[] = [
  {
    name: "bulk-item-once",
    prevents: "The outcome of a task is overwritten by a batch that comes late.",
    file: "src/db/bulk/bulk-ledger.ts",
    text: "    where bulk_operation_items.outcome = 'pending'\n",
    without: "",
    test: "test/routes/bulk/faults.test.ts",
    fails: "keeps the outcome of a task if a batch that was planned earlier is recorded late",
  },
  {
    name: "bulk-retry-lock",
    prevents: "An operation is retried while its revert is being committed.",
    file: "drizzle/functions/refuse_retry_of_reverted.sql",
    text: " for share;",
    without: ";",
    test: "test/routes/bulk/retry-failed.test.ts",
    fails: "refuses an operation whose revert is under way",
  },
  {
    name: "bulk-end-cancelled-open",
    prevents: "A consumer ends an operation that has ended.",
    file: "src/db/bulk/end-bulk.ts",
    text: "set state = 'cancelled', finished_at = ${notBefore(sql`b.created_at`)}\n  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid and b.state in ('queued', 'running')",
    without:
      "set state = 'cancelled', finished_at = ${notBefore(sql`b.created_at`)}\n  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid",
    test: "test/routes/bulk/large.test.ts",
    fails: "ends a queued operation immediately, with nothing changed",
  },
  {
    name: "bulk-cancel-open",
    prevents: "An operation that has ended is cancelled.",
    file: "src/db/bulk/end-bulk.ts",
    text: "coalesce(b.cancel_requested_at, ${notBefore(sql`b.created_at`)})\n  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid and b.state in ('queued', 'running')",
    without:
      "coalesce(b.cancel_requested_at, ${notBefore(sql`b.created_at`)})\n  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid",
    test: "test/routes/bulk/large.test.ts",
    fails: "ends a queued operation immediately, with nothing changed",
  },
];
