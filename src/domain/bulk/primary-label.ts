/** What the button that executes a bulk change says: exactly what will happen, and to how many tasks. */
export function primaryLabel(plan: {
  eligible: number;
  runAttachedWorkflows: boolean;
  pipelines: readonly { tasks: number }[];
}): string {
  const runsPipeline = plan.runAttachedWorkflows && plan.pipelines.some(({ tasks }) => tasks > 0);
  return runsPipeline
    ? `Change Status & Run Pipeline (${plan.eligible})`
    : `Change Status Only (${plan.eligible})`;
}
