import { eachItem, followOperation } from "../../client/index.ts";
import { stepledger } from "./service.ts";

// Rejects every task that waits for an expert, but only after looking at what that would do.
const targetStatus = "REJECTED";
const plan = await stepledger.previewBulk({
  body: { targetStatus, filter: { stepKind: "expert_review", stepStatus: "queued" } },
});
console.log(`${plan.primaryLabel}: ${plan.counts.eligible} of ${plan.counts.requested}`);

// The token binds the change to what was shown: where a task has moved since, nothing is done at all.
const { taskIds = [], planToken } = plan;
if (taskIds.length > 0) {
  const { operationId } = await stepledger.executeBulk({
    body: { targetStatus, taskIds, planToken, reason: "The batch was made from a broken source" },
  });
  // Up to 1,000 tasks are changed by now; with more, the operation goes on by itself.
  const { counts } = await followOperation(stepledger, operationId);
  console.log(`changed ${counts.changed}, refused ${counts.refused}`);
  const items = eachItem(stepledger.listBulkItems, { params: { operationId } });
  for await (const { taskId, outcome, code } of items) {
    if (outcome !== "changed") console.log(`  ${taskId} ${outcome} ${code}`);
  }
}
