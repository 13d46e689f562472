import type { Role } from "../actor.ts";
import type { BulkTarget } from "../bulk/matrix.ts";
import type { Pipeline, StepKind, StepStatus } from "../lifecycle/statuses.ts";

interface AttachedPipeline {
  kind: StepKind;
  status: StepStatus;
  pipeline: Pipeline;
}

/** The pipeline that a single move attaches when its step enters this state. */
export const PIPELINES_ON_ENTRY: readonly AttachedPipeline[] = [
  { kind: "pre_qa", status: "queued", pipeline: "quality_automation" },
  { kind: "output_generation", status: "queued", pipeline: "output_generation" },
  { kind: "calibration", status: "queued", pipeline: "post_qa_scoring" },
  { kind: "expert_review", status: "approved", pipeline: "payment" },
];

/** The pipelines that a bulk change to this target attaches. */
export const PIPELINES_ON_TARGET: Record<BulkTarget, readonly Pipeline[]> = {
  SUBMITTED: ["output_generation"],
  IN_REVIEW: [],
  CHANGES_REQUESTED: [],
  PASSED: ["payment"],
  REJECTED: [],
  DUPLICATE: [],
};

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
