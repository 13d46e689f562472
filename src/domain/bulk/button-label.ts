import type { BulkAction } from "./actions.ts";

/** The verbs on the button that executes a change. */
const VERBS: Record<Exclude<BulkAction, "run_pipelines"> | "target", string> = {
  target: "Change Status",
  advance: "Advance",
  retry: "Retry",
  edit: "Edit",
  archive: "Archive",
  restore: "Restore",
  rework: "Rework",
};

/** Returns the text of the button that executes a bulk change. It says what happens, and to how many tasks. */
export function buttonLabel(plan: {
  /** Null for a change to a target. */
  action: BulkAction | null;
  eligible: number;
  runAttachedWorkflows: boolean;
  pipelines: readonly { tasks: number }[];
}): string {
  const { action, eligible } = plan;
  if (action === "run_pipelines") return `Run Pipeline (${eligible})`;
  const verb = VERBS[action ?? "target"];
  const runsPipeline = plan.runAttachedWorkflows && plan.pipelines.some(({ tasks }) => tasks > 0);
  return runsPipeline ? `${verb} & Run Pipeline (${eligible})` : `${verb} Only (${eligible})`;
}
