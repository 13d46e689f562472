import { eachItem, followOperation } from "../../client/index.ts";
import { stepledger } from "./service.ts";

// Rejects every task that is queued for expert review, after a preview of the change.
const targetStatus = "REJECTED";
const plan = await stepledger.previewBulk({
  body: { targetStatus, filter: { stepKind: "expert_review", stepStatus: "queued" } },
});
console.log(`${plan.primaryLabel}: ${plan.counts.eligible} of ${plan.counts.requested}`);

// The token binds the change to the preview: if any task has changed since, nothing is changed.
const { taskIds = [], planToken } = plan;
if (taskIds.length > 0) {
  const { operationId } = await stepledger.executeBulk({
    body: { targetStatus, taskIds, planToken, reason: "The batch came from a broken source" },
  });
  // Up to 1,000 tasks are already changed. Larger operations run in the background.
  const { counts } = await followOperation(stepledger, operationId);
  console.log(`changed ${counts.changed}, refused ${counts.refused}`);
  const items = eachItem(stepledger.listBulkItems, { params: { operationId } });
  for await (const { taskId, outcome, code } of items) {
    if (outcome !== "changed") console.log(`  ${taskId} ${outcome} ${code}`);
  }
}
