import type { Stepledger } from "./connect.ts";
import type { BulkOperation } from "./operations.ts";

/** The final states of an operation. */
const ENDED: readonly BulkOperation["state"][] = [
  "completed",
  "partial",
  "failed",
  "refused",
  "cancelled",
];

const WAIT_MS_FIRST = 100;
const WAIT_MS_MAX = 2000;

/**
 * Polls a bulk operation until it ends, however long that takes, and returns it. Calls `onProgress` after each poll
 * that finds it unfinished.
 */
export async function followOperation(
  stepledger: Stepledger,
  operationId: string,
  { onProgress }: { onProgress?: (operation: BulkOperation) => void } = {},
): Promise<BulkOperation> {
  for (let wait = WAIT_MS_FIRST; ; wait = Math.min(2 * wait, WAIT_MS_MAX)) {
    const operation = await stepledger.getBulkOperation({ params: { operationId } });
    if (ENDED.includes(operation.state)) return operation;
    onProgress?.(operation);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
