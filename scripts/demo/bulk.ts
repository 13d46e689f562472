import type { z } from "zod";
import type { BulkTarget } from "../../src/domain/bulk/matrix.ts";
import type { ApiClient } from "../import/api-client.ts";
import { executionResponse, previewResponse } from "./api.ts";
import { inChunks } from "./demo-tasks.ts";
import { EXECUTED_TASKS_MAX } from "../../src/domain/bulk/limits.ts";

export interface BulkChange {
  taskIds: readonly string[];
  targetStatus: BulkTarget;
  reason: string;
}

export type Preview = z.output<typeof previewResponse>;
export type Execution = z.output<typeof executionResponse>;

/** Changes tasks in bulk as an operator does: previews the change, then executes that plan unless it is stale. */
export async function* changeInBulk(
  client: ApiClient,
  { taskIds, targetStatus, reason }: BulkChange,
): AsyncGenerator<{ preview: Preview; execution: Execution }> {
  for (const chunk of inChunks(taskIds, EXECUTED_TASKS_MAX)) {
    const change = { taskIds: chunk, targetStatus, runAttachedWorkflows: false };
    const preview = await client.call(
      { method: "POST", path: "/bulk/preview", body: change },
      previewResponse,
    );
    const body = { ...change, reason, planToken: preview.planToken };
    const execution = await client.call(
      { method: "POST", path: "/bulk/execute", body },
      executionResponse,
    );
    yield { preview, execution };
  }
}
