import type { BulkAction } from "./actions.ts";

/** What a change is called on its button. */
const VERBS: Record<Exclude<BulkAction, "run_pipelines"> | "target", string> = {
  target: "Change Status",
  advance: "Advance",
  retry: "Retry",
  edit: "Edit",
};

/** What the button that executes a bulk change says: exactly what will happen, and to how many tasks. */
export function primaryLabel(plan: {
  /** Null where tasks are brought to a target. */
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
