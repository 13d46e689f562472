import type { z } from "zod";
import type { BulkTarget } from "../../src/domain/bulk/matrix.ts";
import type { ApiClient } from "../import/api-client.ts";
import { executed, previewed } from "./api.ts";
import { inParts } from "./herd.ts";

export interface BulkChange {
  taskIds: readonly string[];
  targetStatus: BulkTarget;
  reason: string;
}

export type Preview = z.output<typeof previewed>;
export type Execution = z.output<typeof executed>;

/** Tasks that one call executes. */
const EXECUTED_MAX = 1000;

/**
 * Changes tasks in bulk as an operator does: look at the plan, then carry out that very plan. A plan that has
 * become stale is not carried out.
 */
export async function* changeInBulk(
  client: ApiClient,
  { taskIds, targetStatus, reason }: BulkChange,
): AsyncGenerator<{ preview: Preview; execution: Execution }> {
  for (const part of inParts(taskIds, EXECUTED_MAX)) {
    const change = { taskIds: part, targetStatus, runAttachedWorkflows: false };
    const preview = await client.call(
      { method: "POST", path: "/bulk/preview", body: change },
      previewed,
    );
    const body = { ...change, reason, planToken: preview.planToken };
    const execution = await client.call({ method: "POST", path: "/bulk/execute", body }, executed);
    yield { preview, execution };
  }
}
