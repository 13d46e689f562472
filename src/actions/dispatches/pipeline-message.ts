import type { DispatchAttempt } from "../../db/dispatches/begin-dispatch.ts";
import { PIPELINE_EVENT } from "../../domain/pipelines/pipelines.ts";
import { stepView, taskView } from "../views/task-view.ts";

/** Returns the message that requests a pipeline's work. */
export function pipelineMessage(
  dispatchId: string,
  {
    pipeline,
    run,
    task,
    version,
    step,
  }: Pick<DispatchAttempt, "pipeline" | "run" | "task" | "version" | "step">,
  timestamp: Date,
) {
  const data = {
    dispatchId,
    pipeline,
    run,
    task: taskView(task),
    version,
    step: stepView(task.id, task.step.id, step),
    /** Where the worker reports, relative to the service's own address. */
    reportTo: `/v1/worker-runs/${run.id}`,
  };
  return { type: PIPELINE_EVENT, timestamp: timestamp.toISOString(), data };
}
