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

/** The pipeline that is attached to each stage and status. A move of one task reads this list. */
export const PIPELINES_ON_ENTRY: readonly AttachedPipeline[] = PIPELINE_NAMES.map((pipeline) => {
  const { kind, status } = ROWS[pipeline].attachedTo;
  return { kind, status, pipeline };
});

/** Returns the pipelines that are dispatched when a step enters this state. */
export function pipelinesAttachedTo(step: { kind: StepKind; status: StepStatus }): Pipeline[] {
  return PIPELINES_ON_ENTRY.filter(
    ({ kind, status }) => kind === step.kind && status === step.status,
  ).map(({ pipeline }) => pipeline);
}

/**
 * Returns the default of `runAttachedWorkflows`: true if a person changes one task, and false for the service role and
 * for calls that change many tasks.
 */
export function runsAttachedByDefault(call: { role: Role; tasks: "one" | "many" }): boolean {
  return call.tasks === "one" && call.role !== "service";
}
