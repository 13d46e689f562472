import type { BulkOperation, BulkPreview } from "../client/index.ts";
import { paintLabel } from "./render.ts";
import { notChangedLines } from "./report-bulk.ts";
import type { Paint } from "./terminal.ts";

const NONE = { eligible: 0, refused: 0 };

/** Returns what a bulk change would do, as lines for people. */
export function previewLines(
  preview: BulkPreview,
  change: {
    targetStatus?: BulkOperation["targetStatus"] | undefined;
    action?: BulkOperation["action"] | undefined;
    runAttachedWorkflows: boolean;
  },
  paint: Paint,
): string[] {
  const { counts, bySource, pipelines, items } = preview;
  const { targetStatus = null } = change;
  const refused = items.filter(({ decision }) => decision === "refused");
  const would =
    targetStatus === null
      ? `are eligible for ${change.action}`
      : `would become ${paintLabel(targetStatus, paint)}`;
  return [
    `${counts.eligible} of ${counts.requested} ${would}`,
    ...Object.entries(bySource).map(([label, { eligible, refused } = NONE]) => {
      return `  ${label.padEnd(21)} ${eligible} eligible, ${refused} refused`;
    }),
    ...pipelines.map(({ name, tasks, alreadyDispatched }) => {
      const verb = change.runAttachedWorkflows ? "runs" : "does not run without --run-pipelines";
      const earlier = alreadyDispatched === 0 ? "" : `, ${alreadyDispatched} already dispatched`;
      return `  ${name} ${verb}: ${tasks} tasks${earlier}`;
    }),
    ...notChangedLines(
      refused.map(({ taskId, code, from, allowed }) => ({ taskId, why: code, from, allowed })),
      paint,
    ),
  ];
}
