import { EXECUTED_TASKS_MAX } from "../src/domain/bulk/limits.ts";
import type { Service } from "./service.ts";

// Moves tasks back and forth between two labels, so that the same tasks can be moved any number of times.

/** A task to move, with its current step. */
export interface MovedTask {
  id: string;
  stepId: string;
}

const REASON = "Measured.";

/** Returns the first `count` tasks of a tenant, after moving those that an earlier run left elsewhere to IN_REVIEW. */
export async function tasksInReview(
  service: Service,
  tenant: string,
  count: number,
): Promise<MovedTask[]> {
  const tasks = await service.query<MovedTask & { status: string }>(
    `select t.id, t.current_step_id as "stepId", s.status
     from tasks t join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
     where t.tenant_id = $1 order by t.id limit $2`,
    [tenant, count],
  );
  if (tasks.length < count) throw new Error(`The tenant has ${tasks.length} of ${count} tasks`);
  const moved = tasks.filter(({ status }) => status === "changes_requested").map(({ id }) => id);
  for (const ids of chunksOf(moved, EXECUTED_TASKS_MAX)) {
    await executeBulk(service, tenant, ids, "IN_REVIEW");
  }
  const waiting = tasks.filter(({ status }) => status === "awaiting_input");
  for (const { stepId } of waiting) await moveStep(service, tenant, stepId, "in_review");
  return tasks.map(({ id, stepId }) => ({ id, stepId }));
}

/** Moves one task with a single transition. */
export async function moveStep(
  service: Service,
  tenant: string,
  stepId: string,
  status: "awaiting_input" | "in_review",
): Promise<void> {
  const body = { status, runAttachedWorkflows: false };
  await service.call(`/v1/steps/${stepId}`, { method: "PATCH", tenant, body });
}

/** Moves tasks with one bulk change. */
async function executeBulk(
  service: Service,
  tenant: string,
  taskIds: readonly string[],
  targetStatus: "IN_REVIEW" | "CHANGES_REQUESTED",
): Promise<void> {
  const { body } = await service.call<{ counts: { changed: number } }>("/v1/bulk/execute", {
    method: "POST",
    tenant,
    body: { taskIds, targetStatus, reason: REASON, runAttachedWorkflows: false },
  });
  if (body.counts.changed !== taskIds.length) {
    throw new Error(`Only ${body.counts.changed} of ${taskIds.length} tasks were changed`);
  }
}

/** Returns a function that moves the tasks to the other label at each call, in as many requests as needed. */
export function backAndForth(
  service: Service,
  tenant: string,
  taskIds: readonly string[],
): () => Promise<void> {
  let isInReview = true;
  return async () => {
    const target = isInReview ? "CHANGES_REQUESTED" : "IN_REVIEW";
    isInReview = !isInReview;
    for (const ids of chunksOf(taskIds, EXECUTED_TASKS_MAX)) {
      await executeBulk(service, tenant, ids, target);
    }
  };
}

function chunksOf<Value>(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
