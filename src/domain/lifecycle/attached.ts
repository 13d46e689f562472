import type { Role } from "../actor.ts";
import { type Pipeline, PIPELINE_NAMES, PIPELINES } from "../pipelines/pipelines.ts";
import type { StepKind, StepStatus, WorkerType } from "./statuses.ts";

interface AttachedPipeline {
  kind: StepKind;
  status: StepStatus;
  pipeline: Pipeline;
}

/** Rejects a row of PIPELINES that names an unknown worker type, stage or status. */
const ROWS: Record<
  Pipeline,
  { worker: WorkerType; attachedTo: { kind: StepKind; status: StepStatus } }
> = PIPELINES;

/** The pipeline that a single move attaches when its step enters this state. */
export const PIPELINES_ON_ENTRY: readonly AttachedPipeline[] = PIPELINE_NAMES.map((pipeline) => {
  const { kind, status } = ROWS[pipeline].attachedTo;
  return { kind, status, pipeline };
});

/** The pipelines that a step in this state asks for, once it has entered it. */
export function pipelinesAttachedTo(step: { kind: StepKind; status: StepStatus }): Pipeline[] {
  return PIPELINES_ON_ENTRY.filter(
    ({ kind, status }) => kind === step.kind && status === step.status,
  ).map(({ pipeline }) => pipeline);
}

/**
 * What an absent `runAttachedWorkflows` means: true for a person's call on one task, false for the service
 * role and wherever one call moves many tasks.
 */
export function runsAttachedByDefault(call: { role: Role; tasks: "one" | "many" }): boolean {
  return call.tasks === "one" && call.role !== "service";
}
